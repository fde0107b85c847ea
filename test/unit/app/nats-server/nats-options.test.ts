import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseConfFile } from '../../../../src/app/nats-server/conf-parser.ts'
import { ConfReader } from '../../../../src/app/nats-server/conf-reader.ts'
import {
  type NatsFlags,
  type NatsServerOptions,
  readNatsOptions,
} from '../../../../src/app/nats-server/nats-options.ts'
import { ConfigError } from '../../../../src/base/errors.ts'
import { UNLIMITED } from '../../../../src/frontends/nats/auth/account-limits.ts'
import { DEFAULT_JETSTREAM } from '../../../../src/frontends/nats/jetstream/jetstream-settings.ts'

function read(text: string, flags: NatsFlags = {}): NatsServerOptions {
  const conf = parseConfFile('main', {
    readFile: (path) => ({ path, text }),
    environment: () => undefined,
  })
  return readNatsOptions(new ConfReader(conf, ''), flags)
}

describe('options of nats-server', () => {
  it('are its defaults where nothing is said', () => {
    const { settings, storeDir, portsFileDir } = read('')
    assert.deepEqual(settings.address, { host: '0.0.0.0', port: 4222 })
    assert.equal(settings.limits.maxPayloadBytes, 1024 * 1024)
    assert.equal(settings.monitor, null)
    assert.equal(settings.webSocket, null)
    assert.equal(storeDir, null)
    assert.equal(portsFileDir, null)
  })

  it('come from the configuration, and from flags over it', () => {
    const text = `
      listen: 127.0.0.1:-1
      http: -1
      max_payload: 2MB
      ping_interval: "5s"
      lame_duck_duration: "30s"
      jetstream { store_dir: "/data/js", max_file_store: 1GB }
      websocket { port: -1, no_tls: true }
      cluster { name: x }`
    const { settings, storeDir, notServed } = read(text, { serverName: 'N' })
    assert.deepEqual(settings.address, { host: '127.0.0.1', port: 0 })
    assert.deepEqual(settings.monitor, { host: '127.0.0.1', port: 0 })
    assert.equal(settings.limits.maxPayloadBytes, 2 * 1024 * 1024)
    assert.equal(settings.limits.pingIntervalMs, 5000)
    assert.equal(settings.lameDuckDurationMs, 30_000)
    assert.deepEqual(settings.webSocket?.address, { host: '127.0.0.1', port: 0 })
    assert.equal(settings.serverName, 'N')
    assert.equal(storeDir, '/data/js/jetstream')
    assert.deepEqual(notServed, ['cluster'])
    assert.equal(read(text, { port: 99 }).settings.address.port, 99)
  })

  it('say who may come in, and what they may do', () => {
    const { security } = read(`
      authorization {
        default_permissions { publish: "x" }
        timeout: 3
        users = [
          { user: a, password: 1234 }
          { nkey: UABC, permissions: { sub: { deny: ["y", "z q"] }, allow_responses: true } }
          { user: c, pass: c, permission: { pub: [a, b] } }
        ]
      }
      no_auth_user: a`).settings
    assert.equal(security.timeoutMs, 3000)
    assert.equal(security.noAuthUser, 'a')
    const [a, b, c] = security.users
    assert.equal(a?.password, '1234')
    assert.deepEqual(a?.permissions?.publish, { allow: ['x'], deny: [] })
    assert.equal(b?.password, null)
    assert.deepEqual(b?.permissions?.subscribe, { allow: null, deny: ['y', 'z q'] })
    assert.deepEqual(b?.permissions?.publish, { allow: [], deny: [] })
    assert.deepEqual(b?.permissions?.responses, { maxCount: 1, ttlMs: 120_000 })
    assert.deepEqual(c?.permissions?.publish.allow, ['a', 'b'])
  })

  const refused: readonly (readonly [text: string, reason: RegExp])[] = [
    ['prot: 4222', /unknown field "prot"/],
    ['port: many', /port must be a whole number/],
    ['ping_interval: soon', /ping_interval must be a time such as 2s/],
    ['authorization { users: [{password: a}] }', /needs a user name or an nkey/],
    ['authorization { users: [{user: a, password: a, nkey: U}] }', /does not go with/],
    ['authorization { token: x, user: a, pass: b }', /a token does not go with users/],
    ['authorization { users: [{user: a, password: a},{user: a, password: b}] }', /two users "a"/],
    ['no_auth_user: z', /no_auth_user "z" is not among the users/],
    ['accounts { A { imports: [{stream: {account: B, subject: x}}] } }', /does not export to it/],
    ['tls { cert_file: "/no/such/file" }', /cert_file .* can't be read/],
    ['websocket { port: 1 }', /websocket.tls is needed, unless no_tls/],
    ['operator: "eyJhbGciOiJub25lIn0.e30.x"', /claims of the operator are not signed/],
  ]
  for (const [text, reason] of refused) {
    it(`refuse ${JSON.stringify(text)} and say why`, () => {
      assert.throws(
        () => read(text),
        (error) => {
          assert.ok(error instanceof ConfigError)
          assert.match(error.message, reason)
          return true
        },
      )
    })
  }
})

describe('accounts in a configuration', () => {
  it('say which subjects accounts share', () => {
    const { security } = read(`
      accounts {
        A { users: [{user: a, password: a}], exports: [{stream: "x.>"}, {service: q, accounts: [B]}] }
        B { imports: [
          {stream: {account: A, subject: "x.*"}, prefix: from}
          {service: {account: A, subject: q}, to: ask}
        ] }
      }`).settings
    assert.deepEqual(security.accounts[1]?.imports, [
      { kind: 'stream', account: 'A', subject: 'x.*', localSubject: 'from.x.*' },
      { kind: 'service', account: 'A', subject: 'q', localSubject: 'ask' },
    ])
  })

  it('say which of them others may trace messages through', () => {
    const { security } = read(`
      accounts {
        A { exports: [{service: q, allow_trace: true}, {service: r}, {stream: x}] }
        B { imports: [{stream: {account: A, subject: x}, allow_trace: true}] }
      }`).settings
    const [a, b] = security.accounts
    assert.deepEqual(
      a?.exports.map(({ allowsTrace = false }) => allowsTrace),
      [true, false, false],
    )
    assert.equal(b?.imports[0]?.allowsTrace, true)
  })

  it('have users without passwords', () => {
    const { settings } = read('accounts { A { users: [{ user: a }] } }')
    const [user] = settings.security.users
    assert.deepEqual([user?.user, user?.password, user?.account], ['a', '', 'A'])
  })

  it('say which accounts have JetStream, and how much of it', () => {
    const { settings } = read(`
      accounts {
        A { jetstream: enabled }
        B { jetstream { max_mem: 1K, max_file: -1, max_streams: 3, max_consumers: 4 } }
        L { jetstream { max_ack_pending: 5, mem_max_stream_bytes: 6, disk_max_stream_bytes: 7 } }
        C { jetstream: disabled }
        D {}
      }`)
    const limits = settings.security.accounts.map(({ jetStream }) => jetStream)
    const none = UNLIMITED
    assert.deepEqual(limits, [
      none,
      { ...none, max_memory: 1000, max_streams: 3, max_consumers: 4 },
      {
        ...none,
        max_ack_pending: 5,
        memory_max_stream_bytes: 6,
        storage_max_stream_bytes: 7,
      },
      null,
      null,
    ])
    assert.throws(() => read('accounts { A { jetstream: perhaps } }'), ConfigError)
  })
})

describe('JetStream in a configuration', () => {
  it('has a domain, and limits for all accounts', () => {
    const { settings } = read(`
      jetstream {
        domain: hub, max_mem: 1K, max_file: 2K
        limits { max_ack_pending: 3, max_request_batch: 4, duplicate_window: "5s", max_ha_assets: 6 }
      }`)
    assert.deepEqual(settings.jetStream, {
      domain: 'hub',
      maxMemory: 1000,
      maxStorage: 2000,
      maxAckPending: 3,
      maxRequestBatch: 4,
      maxDuplicateWindow: 5_000_000_000,
    })
    assert.deepEqual(read('jetstream: enabled').settings.jetStream, DEFAULT_JETSTREAM)
  })

  it('has sizes for all accounts in words too, where K is 1024', () => {
    const sizes = (max: string): unknown => {
      const { maxMemory, maxStorage } = read(`jetstream { max_mem: ${max}, max_file: ${max} }`)
        .settings.jetStream
      assert.equal(maxMemory, maxStorage)
      return maxStorage
    }
    assert.equal(sizes('"2K"'), 2048)
    assert.equal(sizes('"3G"'), 3 * 1024 ** 3)
    assert.equal(sizes('0'), 0)
    assert.equal(sizes('""'), 0)
    assert.equal(sizes('-1'), -1)
    for (const max of ['"2"', '"2KB"', '"K"', '1.5', 'true']) {
      assert.throws(() => sizes(max), /max_memory_store must be/)
    }
  })

  it('has no domain that can not stand in a subject, or is the word behind it', () => {
    for (const domain of ['a.b', '*', 'a>', '"a b"', 'API']) {
      assert.throws(() => read(`jetstream { domain: ${domain} }`), ConfigError, domain)
    }
  })
})
