import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { it } from 'node:test'
import { createWebSocketStream, WebSocket } from 'ws'
import { operatorConfiguration, SignedAccount } from './operator.ts'
import { type ConfiguredServer, onConfiguration } from './with-configuration.ts'

const account = new SignedAccount()
const CONFIGURATION = `${operatorConfiguration([[account, {}]])}
websocket { listen: "127.0.0.1:-1", no_tls: true }`

const NOW_MS = Date.now()

/** A time of day some minutes from now, in UTC. */
function clock(minutes: number): string {
  return new Date(NOW_MS + minutes * 60_000).toISOString().slice(11, 19)
}

const times = (...ranges: readonly (readonly [from: number, to: number])[]) => ({
  times: ranges.map(([from, to]) => ({ start: clock(from), end: clock(to) })),
  times_location: 'UTC',
})
const zones = ['Asia/Tokyo', 'America/New_York', 'Local', '', 'Mars/Olympus', 'utc']

const USERS: readonly object[] = [
  {},
  { src: ['127.0.0.1/32'] },
  { src: ['10.0.0.0/8', '127.1.2.3/8'] },
  { src: '10.0.0.0/8, 127.0.0.0/8' },
  { src: '10.0.0.0/8' },
  { src: ['10.0.0.0/8'] },
  { src: ['::1/128'] },
  { src: ['::ffff:127.0.0.0/104'] },
  { src: ['127.0.0.0/8', 'x'] },
  { src: ['127.0.0.1'] },
  { src: [''] },
  { src: [5] },
  { src: {} },
  { src: null },
  { src: [] },
  times([-10, 10]),
  times([10, 20]),
  times([10, -10]),
  times([-10, -20]),
  times([10, 20], [-10, 10]),
  { times: [{ start: '00:00:00', end: '23:59:59' }, { start: 'x' }] },
  { times: [{ start: '00:00', end: '23:59' }] },
  { times: [{ start: '24:00:00', end: '23:59:59' }] },
  { times: [{}] },
  { times: {} },
  { times: null },
  { times: [], times_location: 'Mars/Olympus' },
  { ...times([-10, 10]), src: ['10.0.0.0/8'] },
  ...zones.map((zone) => ({
    times: [
      { start: '00:00:00', end: '00:00:01' },
      { start: '0:00:01', end: '00:00:00.5' },
    ],
    times_location: zone,
  })),
  ...zones.map((zone) => ({ ...times([-10, 10]), times_location: zone })),
]

/** What a client is told that shows these claims: up to its PONG, or until it is sent away. */
async function loginTo(stream: Duplex, jwt: string, until: RegExp): Promise<string> {
  let text = ''
  stream.write(`CONNECT ${JSON.stringify({ verbose: false, protocol: 1, jwt })}\r\nPING\r\n`)
  for await (const chunk of stream) {
    text += String(chunk)
    if (until.test(text)) break
  }
  stream.destroy()
  return (text.match(/^(?:PONG|-ERR .*)(?=\r\n)/gm) ?? []).join(' ')
}

function tcp({ nats }: ConfiguredServer): Socket {
  const [host = '', port = ''] = nats.split(':')
  return connect(Number(port), host)
}

function webSocket({ webSocket: host }: ConfiguredServer): Duplex {
  return createWebSocketStream(new WebSocket(`ws://${host}`))
}

it('users are let in from where and when their claims say, and nobody else is', async () => {
  const jwts = USERS.map((nats) => [nats, account.bearer(nats)] as const)
  const { ours, theirs } = await onConfiguration(CONFIGURATION, async (server) => {
    const answers: string[] = []
    for (const [nats, jwt] of jwts) {
      for (const open of [tcp, webSocket]) {
        answers.push(`${JSON.stringify(nats)} ${await loginTo(open(server), jwt, /PONG/)}`)
      }
    }
    return answers
  })
  assert.deepEqual(ours, theirs)
})

it('users are sent away when the time is over that their claims give them', async () => {
  const { ours, theirs } = await onConfiguration(CONFIGURATION, async (server) => {
    const at = (ms: number): string => new Date(ms).toISOString().slice(11, 19)
    const nowMs = Date.now()
    const day = [{ start: at(nowMs - 60_000), end: at(nowMs + 3000) }]
    const jwt = account.bearer({ times: day, times_location: 'UTC' })
    return await Promise.all([tcp, webSocket].map((open) => loginTo(open(server), jwt, /Expired/)))
  })
  assert.deepEqual(ours, theirs)
  assert.match(ours[0] ?? '', /^PONG -ERR 'User Authentication Expired'$/)
})
