import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  type ExportSettings,
  type ImportSettings,
  OPEN,
  type SecuritySettings,
} from '../../../../src/frontends/nats/auth/security-settings.ts'
import { type FakeClient, MODERN, TestServer } from './nats-clients.ts'

const NO_LIMITS = { maxConnections: -1, maxSubscriptions: -1, jetStream: null }
const STREAM = { kind: 'stream', account: 'A', subject: 'x', localSubject: 'x' } as const
const SERVICE = { kind: 'service', account: 'A', subject: 'q', localSubject: 'q' } as const

/** It is this time when a test begins. */
const NOW_MS = 1_700_000_000_000

function settings(
  imports: readonly ImportSettings[],
  exports: readonly ExportSettings[] = [],
): SecuritySettings {
  const users = ['A', 'B'].map((name) => ({
    ...{ user: name, password: name, account: name },
    ...{ permissions: null, kinds: null },
  }))
  const accounts = [
    { name: 'A', exports, imports: [], ...NO_LIMITS },
    { name: 'B', exports: [], imports, ...NO_LIMITS },
  ]
  return { ...OPEN, users, accounts }
}

async function clients(security: SecuritySettings) {
  const server = await TestServer.start({}, 100, security)
  const login = (name: string): FakeClient => server.connect({ ...MODERN, user: name, pass: name })
  const [a, b] = [login('A'), login('B')]
  /** What B hears of a message that A publishes. */
  const heard = (subject: string): string => {
    a.send(`PUB ${subject} 0\r\n\r\n`)
    server.scheduler.finishTurn()
    return b.read()
  }
  return { server, a, b, heard }
}

describe('an import of another account', () => {
  it('holds for a time if it says so, and ends by itself', async () => {
    const validity = { fromMs: NOW_MS, untilMs: NOW_MS + 5000 }
    const imports = [
      { ...STREAM, validity },
      { ...SERVICE, validity },
    ]
    const { server, a, b, heard } = await clients(settings(imports))
    a.send('SUB q 1\r\n')
    b.send('SUB x 1\r\n')
    server.scheduler.advance(4999)
    assert.equal(heard('x'), 'MSG x 1 0\r\n\r\n')
    server.scheduler.advance(1)
    assert.equal(heard('x'), '')
    b.send('SUB in 2\r\nPUB q in 0\r\n\r\n')
    assert.match(b.read(), /503/)
  })

  it('is none before its time, and after it', async () => {
    for (const validity of [
      { fromMs: NOW_MS + 1, untilMs: null },
      { fromMs: 0, untilMs: NOW_MS },
    ]) {
      const { b, heard } = await clients(settings([{ ...STREAM, validity }]))
      b.send('SUB x 1\r\n')
      assert.equal(heard('x'), '')
    }
  })

  it('holds as long as the newest settings say', async () => {
    const ends = { fromMs: 0, untilMs: NOW_MS + 1000 }
    const { server, b, heard } = await clients(settings([{ ...STREAM, validity: ends }]))
    b.send('SUB x 1\r\n')
    server.frontend.reload(settings([STREAM]), {})
    server.scheduler.advance(2000)
    assert.equal(heard('x'), 'MSG x 1 0\r\n\r\n')
    server.frontend.reload(settings([]), {})
    assert.equal(heard('x'), '')
  })

  it('may have the tokens of a service in another order', async () => {
    const service = { ...SERVICE, subject: 'q.*.*', localSubject: 'my.$2.$1' }
    const { server, a, b } = await clients(settings([service]))
    a.send('SUB > 1\r\n')
    b.send('PUB my.s.t 0\r\n\r\n')
    server.scheduler.finishTurn()
    assert.match(a.read(), /^HMSG q\.t\.s 1 /)
  })

  it('gets all answers of a service that was exported by a wider subject', async () => {
    const wide = { kind: 'service', subject: '>', accounts: null, answersOften: true } as const
    const { server, a, b } = await clients(settings([SERVICE], [wide]))
    a.send('SUB q 1\r\n')
    b.send('SUB in 1\r\nPUB q in 0\r\n\r\n')
    server.scheduler.finishTurn()
    const reply = a.read().split(' ')[3] ?? ''
    a.send(`PUB ${reply} 1\r\n1\r\nPUB ${reply} 1\r\n2\r\n`)
    server.scheduler.finishTurn()
    assert.equal(b.read(), 'MSG in 1 1\r\n1\r\nMSG in 1 1\r\n2\r\n')
  })
})
