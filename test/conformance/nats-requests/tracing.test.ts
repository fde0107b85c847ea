import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { connect, headers, type Msg, type NatsConnection } from '@nats-io/transport-node'
import { installNatsServer } from '../peers/nats.ts'
import { ServerProcess } from '../support/server-process.ts'

const START_LIMIT_MS = 60_000
const ANSWER_LIMIT_MS = 500

const LAUNCHER = join(import.meta.dirname, '..', '..', '..', 'bin', 'nats-server.mjs')

const confFor = (directory: string): string => `
listen: "127.0.0.1:-1"
server_name: one
jetstream { store_dir: "${directory}", domain: hub }
accounts {
  A {
    jetstream: enabled
    users: [
      { user: a, password: p }
      { user: few, password: p, permissions: {
        publish: { allow: ["foo", "T.>"] }, subscribe: { deny: ["foo.secret"] } } }
    ]
    imports: [
      { service: { account: B, subject: open }, to: ask.open }
      { service: { account: B, subject: shut }, to: ask.shut }
      { stream: { account: B, subject: "news.>" }, to: "in.>", allow_trace: true }
      { stream: { account: B, subject: "quiet.>" }, to: "q.>" }
    ]
  }
  B {
    users: [{ user: b, password: p }]
    exports: [
      { service: open, allow_trace: true }
      { service: shut }
      { stream: "news.>" }
      { stream: "quiet.>" }
    ]
  }
}
`

/** One publish: who, where to, and what it says besides the destination of its trace. */
type Publish = readonly [
  user: 'a' | 'b' | 'few',
  subject: string,
  fields?: Readonly<Record<string, string>>,
  options?: { readonly isRequest?: boolean; readonly body?: string },
]

const ONLY = { 'Nats-Trace-Only': 'true' }
const REQUEST = { isRequest: true }

/** The same with and without a delivery. */
function both(subject: string, fields: Readonly<Record<string, string>> = {}): Publish[] {
  return [
    ['a', subject, fields, REQUEST],
    ['a', subject, { ...fields, ...ONLY }, REQUEST],
  ]
}

const CORE: readonly Publish[] = [
  ['a', 'foo'],
  ['a', 'foo', ONLY],
  ['a', 'foo', { 'Nats-Trace-Only': 'ON', 'X-Own': 'a:b' }],
  ['a', 'foo', { 'Nats-Trace-Only': 'no' }],
  ['a', 'foo.secret'],
  ...both('nobody'),
  ['a', 'foo', { 'Nats-Trace-Dest': 'bad..subject' }],
  ['a', 'foo', { 'Nats-Trace-Dest': 'bad..subject', ...ONLY }],
  ['a', 'foo', { 'Nats-Trace-Dest': 'trace disabled' }],
  ['a', 'foo', { 'Nats-Trace-Dest': '_GR_.x' }],
  ['few', 'foo'],
  ['few', 'foo', { 'Nats-Trace-Dest': 'U' }],
  ['few', 'bar'],
  ...both('ask.open'),
  ...both('ask.shut'),
  ...['news.x', 'quiet.x'].flatMap((subject): Publish[] => [
    ['b', subject],
    ['b', subject, ONLY],
  ]),
]

const API: readonly Publish[] = [
  '$JS.API.INFO',
  '$JS.hub.API.INFO',
  '$SYS.REQ.USER.INFO',
  '$SYS.REQ.ACCOUNT.PING.STATZ',
  '$SYS.REQ.ACCOUNT.PING.CONNZ',
  '$SYS.REQ.SERVER.PING.CONNZ',
].flatMap((subject): Publish[] => [
  ['a', subject, {}, { isRequest: true, body: '' }],
  ['a', subject, ONLY, { isRequest: true, body: '' }],
])

const STREAMS: readonly object[] = [
  {
    ...{ name: 'S', subjects: ['s.>'], max_msg_size: 200 },
    subject_transform: { src: 's.t.*', dest: 'z.{{wildcard(1)}}' },
  },
  { name: 'I', subjects: ['i.>'], retention: 'interest' },
  { name: 'F', subjects: ['f.>'], max_msgs: 1, discard: 'new' },
  { name: 'K', subjects: ['k.>'], allow_msg_counter: true },
]

const STORED: readonly Publish[] = [
  ['a', 's.1'],
  ...both('s.1'),
  ...both('s.t.9'),
  ...both('s.2', { 'Nats-Msg-Id': 'q' }),
  ...both('s.2', { 'Nats-Msg-Id': 'q' }),
  ...both('s.2', { 'Nats-Expected-Stream': 'X' }),
  ...both('s.2', { 'Nats-Expected-Last-Sequence': '77' }),
  ...both('s.2', { 'Nats-Expected-Last-Subject-Sequence': '77' }),
  ...both('s.2', { 'Nats-Expected-Last-Subject-Sequence-Subject': 'x' }),
  ...both('s.2', { 'Nats-Expected-Last-Msg-Id': 'zz' }),
  ...both('s.2', { 'Nats-TTL': '10' }),
  ...both('s.2', { 'Nats-TTL': 'what' }),
  ...both('s.2', { 'Nats-Rollup': 'sub' }),
  ...both('s.2', { 'Nats-Incr': '1' }),
  ...both('s.2', { 'Nats-Stream-Source': 'x' }),
  ...both('s.2', { 'Nats-Schedule': '@at 2090-01-01T00:00:00Z' }),
  ...both('s.2', { 'X-Long': 'x'.repeat(200) }),
  ...both('i.1'),
  ...both('f.1'),
  ...both('f.1'),
  ...both('k.1'),
  ...both('k.1', { 'Nats-Incr': '1' }),
  ...both('k.1', { 'Nats-Incr': 'x' }),
]

type Clients = Readonly<Record<'a' | 'b' | 'few', NatsConnection>>

interface Trace {
  readonly request: object
  readonly events: readonly Readonly<Record<string, unknown>>[]
}

/** A trace without what differs from run to run, and whoever listens in one order. */
function essenceOf(message: Msg): string {
  const { request, events } = message.json<Trace>()
  const steps = events.map(({ ts: _ts, cid: _cid, ...facts }) => JSON.stringify(facts, sorted))
  return `trace ${message.subject} ${JSON.stringify(request, sorted)} ${steps.sort().join(' ')}`
}

function sorted(_name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)))
}

/** What all clients get and are told while these are published, one after the other. */
async function tellAll(clients: Clients, publishes: readonly Publish[]): Promise<string[]> {
  const lines: string[] = []
  for (const one of publishes) {
    const [user, subject, fields = {}, { isRequest = false, body = 'hi' } = {}] = one
    const block = headers()
    block.set('Nats-Trace-Dest', 'T.1')
    for (const [name, value] of Object.entries(fields)) block.set(name, value)
    lines.push(JSON.stringify(one))
    const found = await collected(clients, async () => {
      const client = clients[user]
      if (!isRequest) {
        client.publish(subject, body, { headers: block })
        return []
      }
      const options = { headers: block, timeout: ANSWER_LIMIT_MS }
      return await client.request(subject, body, options).then(
        (answer) => [subject.startsWith('$') ? 'answer' : `answer ${answer.string()}`],
        (error: Error) => [`${error.name} ${error.message}`],
      )
    })
    lines.push(...found.sort())
  }
  return lines.map((line) => line.replace('"duplicate": true', '"duplicate":true'))
}

async function collected(clients: Clients, work: () => Promise<string[]>): Promise<string[]> {
  const found: string[] = []
  const each = Object.entries(clients)
  const traces = each.map(([user, client]) =>
    client.subscribe('T.>', {
      callback: (_, message) => void found.push(`${user} ${essenceOf(message)}`),
    }),
  )
  await flushed(clients)
  const answers = await work()
  // The log is synced before a stream says what became of a message; few messages have no trace at all.
  const limit = performance.now() + TRACE_LIMIT_MS
  do {
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
    await flushed(clients)
  } while (found.length === 0 && performance.now() < limit)
  found.push(...answers)
  for (const subscription of traces) subscription.unsubscribe()
  return found
}

const SETTLE_MS = 100
const TRACE_LIMIT_MS = 2000

async function flushed(clients: Clients): Promise<void> {
  for (const client of Object.values(clients)) await client.flush()
}

async function conversation(clients: Clients): Promise<string[]> {
  const { a, b, few } = clients
  const heard: string[] = []
  const listen = (client: NatsConnection, subject: string, queue = '', answer = ''): void => {
    client.subscribe(subject, {
      ...(queue !== '' && { queue }),
      callback: (_, message) => {
        heard.push(`heard ${subject} ${queue} ${message.subject}`)
        if (answer !== '') message.respond(answer)
      },
    })
  }
  for (const client of [a, few]) listen(client, 'foo')
  listen(a, 'foo', 'workers')
  listen(few, 'foo.*')
  for (const service of ['open', 'shut']) listen(b, service, '', 'yes')
  for (const subject of ['in.>', 'q.>']) listen(a, subject)
  listen(b, 'news.x')
  const told = await tellAll(clients, [...CORE, ...API])
  for (const config of STREAMS) {
    const { name } = config as { name: string }
    await a.request(`$JS.API.STREAM.CREATE.${name}`, JSON.stringify(config))
  }
  const consumer = { durable_name: 'c', ack_policy: 'explicit', filter_subject: 'i.1' }
  const stored = await tellAll(clients, STORED)
  const body = JSON.stringify({ stream_name: 'I', config: consumer })
  await a.request('$JS.API.CONSUMER.DURABLE.CREATE.I.c', body)
  const interest = await tellAll(clients, [...both('i.1'), ...both('i.2')])
  const got = await a.request('$JS.API.STREAM.MSG.GET.S', '{"seq":1}')
  const { hdrs } = got.json<{ message: { hdrs: string } }>().message
  return [...told, ...stored, ...interest, ...heard.sort(), Buffer.from(hdrs, 'base64').toString()]
}

async function talk(program: string, args: readonly string[]): Promise<string[]> {
  const directory = await mkdtemp(join(tmpdir(), 'conformance-nats-'))
  const file = join(directory, 'nats.conf')
  await writeFile(file, confFor(join(directory, 'data')))
  const server = new ServerProcess(program, [...args, '-c', file])
  const connections: NatsConnection[] = []
  try {
    const listening = /Listening for client connections on (\S+:\d+)/
    const [, servers = ''] = await server.waitFor(listening, START_LIMIT_MS)
    await server.waitFor(/Server is ready/, START_LIMIT_MS)
    const open = async (user: string): Promise<NatsConnection> => {
      const client = await connect({ servers, user, pass: 'p', name: user, reconnect: false })
      connections.push(client)
      return client
    }
    return await conversation({ a: await open('a'), b: await open('b'), few: await open('few') })
  } finally {
    for (const client of connections) await client.close()
    await server.stop()
    await rm(directory, { recursive: true, force: true })
  }
}

it('messages are traced as nats-server traces them (ADR-41)', async () => {
  const theirs = await talk(await installNatsServer(), [])
  const ours = await talk(process.execPath, [LAUNCHER])
  assert.deepEqual(ours, theirs)
})
