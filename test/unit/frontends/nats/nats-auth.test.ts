import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { describe, it } from 'node:test'
import {
  OPEN,
  type PermissionRules,
  type SecuritySettings,
  type UserSettings,
} from '../../../../src/frontends/nats/auth/security-settings.ts'
import { publicNkey } from '../../../support/nkeys.ts'
import { type FakeClient, MODERN, TestServer } from './nats-clients.ts'

const VIOLATION = "-ERR 'Authorization Violation'\r\n"

const ALL: PermissionRules = {
  publish: { allow: null, deny: [] },
  subscribe: { allow: null, deny: [] },
  responses: null,
}

function user(name: string, changes: Partial<UserSettings> = {}): UserSettings {
  return { user: name, password: name, account: '$G', permissions: null, kinds: null, ...changes }
}

function startWith(security: Partial<SecuritySettings>): Promise<TestServer> {
  return TestServer.start({ maxSubscriptions: 100 }, 100, { ...OPEN, ...security })
}

function nonceOf(client: FakeClient): string {
  const info = JSON.parse(client.readRaw().slice('INFO '.length)) as { nonce?: string }
  return info.nonce ?? ''
}

describe('NATS authentication', () => {
  it('takes users with their passwords, plain or hashed', async () => {
    const hashed = user('b', { password: '$2a$11$xyz-secret' })
    const server = await startWith({ users: [user('a'), hashed] })
    const plain = server.connect({ ...MODERN, user: 'a', pass: 'a' })
    plain.send('PING\r\n')
    assert.equal(plain.read(), 'PONG\r\nINFO\r\n')
    const slow = server.connect({ ...MODERN, user: 'b', pass: 'secret' })
    slow.send('SUB x 1\r\nPUB x 2\r\nhi\r\nPING\r\n')
    assert.equal(slow.isPaused, true)
    assert.equal(slow.read(), '')
    await new Promise<void>((resolve) => setImmediate(resolve))
    assert.equal(slow.read(), 'MSG x 1 2\r\nhi\r\nPONG\r\nINFO\r\n')
    assert.equal(slow.isPaused, false)
  })

  const wrong: readonly object[] = [
    { user: 'a', pass: 'b' },
    { user: 'c', pass: 'a' },
    { auth_token: 'a' },
    { nkey: 'a', sig: 'x' },
    {},
  ]
  for (const credentials of wrong) {
    it(`refuses ${JSON.stringify(credentials)}`, async () => {
      const server = await startWith({ users: [user('a')] })
      const client = server.connect({ ...MODERN, ...credentials })
      client.send('PING\r\n')
      assert.equal(client.read(), VIOLATION)
      assert.equal(client.isClosed, true)
    })
  }

  it('refuses a wrong password of a hash, and what came behind it', async () => {
    const server = await startWith({ users: [user('a', { password: '$2a$11$xyz-secret' })] })
    const client = server.connect({ ...MODERN, user: 'a', pass: 'other' })
    client.send('PING\r\n')
    await new Promise<void>((resolve) => setImmediate(resolve))
    assert.equal(client.read(), VIOLATION)
    assert.equal(client.isClosed, true)
  })

  it('takes a token', async () => {
    const server = await startWith({ token: 's3cret' })
    const client = server.connect({ ...MODERN, auth_token: 's3cret' })
    client.send('PING\r\n')
    assert.equal(client.read(), 'PONG\r\nINFO\r\n')
    assert.equal(server.connect({ ...MODERN, auth_token: 'other' }).read(), VIOLATION)
  })

  it('takes an nkey whose owner signs the nonce', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519')
    const nkey = publicNkey('user', publicKey)
    const server = await startWith({ users: [user(nkey, { password: null })] })
    const connect = (key: KeyObject): FakeClient => {
      const client = server.connect(null)
      const sig = sign(null, Buffer.from(nonceOf(client)), key).toString('base64url')
      client.send(`CONNECT ${JSON.stringify({ ...MODERN, nkey, sig })}\r\nPING\r\n`)
      return client
    }
    assert.equal(connect(privateKey).read(), 'PONG\r\nINFO\r\n')
    assert.equal(connect(generateKeyPairSync('ed25519').privateKey).read(), VIOLATION)
  })
})

describe('NATS clients that must say who they are', () => {
  it('gives up a client that does not say who it is in time', async () => {
    const server = await startWith({ users: [user('a')], timeoutMs: 500 })
    const silent = server.connect(null)
    const known = server.connect({ ...MODERN, user: 'a', pass: 'a' })
    silent.read()
    server.scheduler.advance(500)
    assert.equal(silent.read(), "-ERR 'Authentication Timeout'\r\n")
    assert.equal(silent.isClosed, true)
    assert.equal(known.isClosed, false)
  })

  it('refuses who asks for something before it said who it is, unless somebody stands for it', async () => {
    const strict = await startWith({ users: [user('a')] })
    const client = strict.connect(null)
    client.read()
    client.send('SUB a 1\r\n')
    assert.equal(client.read(), VIOLATION)
    const open = await startWith({ users: [user('a')], noAuthUser: 'a' })
    const guest = open.connect({ ...MODERN })
    guest.send('PING\r\n')
    assert.equal(guest.read(), 'PONG\r\nINFO\r\n')
  })

  it('keeps who may stay after a reload, with other rights, and closes the others', async () => {
    const server = await startWith({ users: [user('a'), user('b')] })
    const [a, b] = [user('a'), user('b')].map(({ user: name }) =>
      server.connect({ ...MODERN, user: name, pass: name }),
    )
    a?.send('SUB x 1\r\nSUB y 2\r\n')
    const permissions = { ...ALL, subscribe: { allow: null, deny: ['x'] } }
    server.frontend.reload({ ...OPEN, users: [user('a', { permissions })] }, {})
    assert.equal(b?.read(), VIOLATION)
    assert.equal(b?.isClosed, true)
    assert.equal(a?.read(), '-ERR \'Permissions Violation for Subscription to "x"\'\r\n')
    a?.send('PUB x 0\r\n\r\nPUB y 0\r\n\r\n')
    assert.equal(a?.read(), 'MSG y 2 0\r\n\r\n')
  })
})

async function clientWith(permissions: Partial<PermissionRules>): Promise<{
  server: TestServer
  limited: FakeClient
  other: FakeClient
}> {
  const users = [user('a', { permissions: { ...ALL, ...permissions } }), user('b')]
  const server = await startWith({ users })
  const [limited, other] = ['a', 'b'].map((name) =>
    server.connect({ ...MODERN, user: name, pass: name }),
  )
  assert.ok(limited !== undefined && other !== undefined)
  return { server, limited, other }
}

describe('NATS permissions', () => {
  it('of publishers: what is allowed, less what is denied', async () => {
    const { limited, other } = await clientWith({
      publish: { allow: ['a.*', 'b'], deny: ['a.x'] },
    })
    other.send('SUB > 1\r\n')
    limited.send(
      'PUB a.b 0\r\n\r\nPUB a.x 0\r\n\r\nPUB c r 0\r\n\r\nPUB b 0\r\n\r\nPUB b 0\r\n\r\n',
    )
    assert.equal(
      limited.read(),
      '-ERR \'Permissions Violation for Publish to "a.x"\'\r\n' +
        '-ERR \'Permissions Violation for Publish to "c"\'\r\n',
    )
    assert.equal(other.read(), 'MSG a.b 1 0\r\n\r\nMSG b 1 0\r\n\r\nMSG b 1 0\r\n\r\n')
  })

  for (const allow of [['>'], ['*', '*.*', '*.>']]) {
    it(`of publishers: ${allow.join(' and ')} are all subjects but those with an empty token`, async () => {
      const { limited } = await clientWith({ publish: { allow, deny: ['denied.>'] } })
      const subjects = [
        'a',
        '.a',
        'a.',
        'a..b',
        'a.b',
        'a.b.c.',
        '.',
        'denied',
        'denied.a',
        'a.bc.d',
      ]
      for (const subject of subjects) limited.send(`PUB ${subject} 0\r\n\r\n`)
      const refused = [...limited.read().matchAll(/Publish to "(.*?)"/g)].map(
        ([, subject]) => subject,
      )
      assert.deepEqual(refused, ['.a', 'a.', 'a..b', 'a.b.c.', '.', 'denied.a'])
    })
  }

  it('of subscribers: with queues, and deliveries that are denied left out', async () => {
    const { limited, other } = await clientWith({
      subscribe: { allow: ['a.>', 'q v1', 'q v2.*'], deny: ['a.secret'] },
    })
    limited.send('SUB a.* 1\r\nSUB b 2\r\nSUB q v1 3\r\nSUB q v2.x 4\r\nSUB q v3 5\r\nSUB q 6\r\n')
    assert.equal(
      limited.read(),
      '-ERR \'Permissions Violation for Subscription to "b"\'\r\n' +
        '-ERR \'Permissions Violation for Subscription to "q" using queue "v3"\'\r\n' +
        '-ERR \'Permissions Violation for Subscription to "q"\'\r\n',
    )
    other.send('PUB a.open 0\r\n\r\nPUB a.secret 0\r\n\r\n')
    assert.equal(limited.read(), 'MSG a.open 1 0\r\n\r\n')
  })

  it('to answer: as often as is allowed, and in time', async () => {
    const { server, limited, other } = await clientWith({
      publish: { allow: [], deny: [] },
      responses: { maxCount: 2, ttlMs: 1000 },
    })
    limited.send('SUB q 1\r\n')
    other.send('SUB in.* 1\r\nPUB q in.1 0\r\n\r\nPUB q in.2 0\r\n\r\n')
    limited.read()
    limited.send('PUB in.1 0\r\n\r\n'.repeat(3))
    assert.equal(other.read(), 'MSG in.1 1 0\r\n\r\n'.repeat(2))
    const refusal = '-ERR \'Permissions Violation for Publish to "in.1"\'\r\n'
    assert.equal(limited.read(), refusal)
    server.scheduler.advance(1001)
    limited.send('PUB in.2 0\r\n\r\n')
    assert.equal(limited.read(), refusal.replace('in.1', 'in.2'))
  })
})

describe('NATS accounts', () => {
  const unlimited = {
    exports: [],
    imports: [],
    maxConnections: -1,
    maxSubscriptions: -1,
    jetStream: null,
  }
  const A = { name: 'A', ...unlimited }
  const B = { name: 'B', ...unlimited }
  const users = [user('a', { account: 'A' }), user('b', { account: 'B' })]

  async function clients(security: Partial<SecuritySettings>) {
    const server = await startWith({ users, accounts: [A, B], ...security })
    const [a, b] = ['a', 'b'].map((name) => server.connect({ ...MODERN, user: name, pass: name }))
    assert.ok(a !== undefined && b !== undefined)
    return { server, a, b }
  }

  it('keep their subjects to themselves', async () => {
    const { a, b } = await clients({})
    for (const client of [a, b]) client.send('SUB > 1\r\n')
    a.send('PUB x 0\r\n\r\n')
    assert.equal(a.read(), 'MSG x 1 0\r\n\r\n')
    assert.equal(b.read(), '')
  })

  it('share streams by imports', async () => {
    const stream = {
      kind: 'stream',
      account: 'A',
      subject: 'x.*',
      localSubject: 'from.a.*',
    } as const
    const { server, a, b } = await clients({ accounts: [A, { ...B, imports: [stream] }] })
    b.send('SUB > 1\r\n')
    a.send('PUB x.y 2\r\nhi\r\nPUB y 0\r\n\r\n')
    server.scheduler.finishTurn()
    assert.equal(b.read(), 'MSG from.a.y 1 2\r\nhi\r\n')
  })

  it('ask services of others, who learn from which account', async () => {
    const service = { kind: 'service', account: 'A', subject: 'q.>', localSubject: 'q.>' } as const
    const { server, a, b } = await clients({ accounts: [A, { ...B, imports: [service] }] })
    b.send('SUB in.* 1\r\nPUB q.x in.1 2\r\nhi\r\n')
    // Nobody answers yet.
    assert.match(b.read(), /NATS\/1.0 503/)
    a.send('SUB q.> 7\r\n')
    b.send('PUB q.x in.2 2\r\nhi\r\n')
    server.scheduler.finishTurn()
    const request = a.read()
    assert.match(
      request,
      /^HMSG q\.x 7 (_R_\.\S+) \d+ \d+\r\nNATS\/1\.0\r\nNats-Request-Info: \{"acc":"B"\}/,
    )
    const reply = request.split(' ')[3] ?? ''
    a.send(`PUB ${reply} 3\r\nyes\r\nPUB ${reply} 2\r\nno\r\n`)
    server.scheduler.finishTurn()
    assert.equal(b.read(), 'MSG in.2 1 3\r\nyes\r\n')
  })

  it('limit their clients, also those there are when the limit changes', async () => {
    const { server, a } = await clients({ accounts: [{ ...A, maxConnections: 1 }, B] })
    const connect = () => server.connect({ ...MODERN, user: 'b', pass: 'b' })
    const [second, third] = [connect(), connect()]
    const refused = "-ERR 'maximum account active connections exceeded'\r\n"
    assert.equal(server.connect({ ...MODERN, user: 'a', pass: 'a' }).read(), refused)
    const accounts = [A, { ...B, maxConnections: 2 }]
    server.frontend.reload({ ...OPEN, users, accounts }, {})
    assert.equal(third.read(), refused)
    assert.equal(second.isClosed, false)
    server.frontend.maxConnections = 1
    server.frontend.reload({ ...OPEN, users, accounts }, {})
    assert.equal(second.read(), "-ERR 'maximum connections exceeded'\r\n")
    assert.equal(a.isClosed, false)
  })
})
