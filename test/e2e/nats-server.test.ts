import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { jetstreamManager } from '@nats-io/jetstream'
import {
  type ConnectionOptions,
  connect,
  jwtAuthenticator,
  type NatsConnection,
} from '@nats-io/transport-node'
import { WebSocket } from 'ws'
import { publicNkey, signedClaims } from '../support/nkeys.ts'
import { cleanUp, newDirectory } from './spool-process.ts'

const BIN = new URL('../../bin/nats-server.mjs', import.meta.url).pathname
const FIXTURES = new URL('fixtures/', import.meta.url).pathname
const TLS = `tls { cert_file: "${FIXTURES}localhost-cert.pem", key_file: "${FIXTURES}localhost-key.pem"`

const children = new Set<ChildProcess>()
const clients = new Set<NatsConnection>()

after(async () => {
  for (const client of clients) await client.close()
  for (const child of children) child.kill('SIGKILL')
  await cleanUp()
})

/** The launcher in a process of its own. */
class Launched {
  readonly child: ChildProcess
  readonly configFile: string
  readonly ports: Readonly<Record<string, readonly string[]>>

  private constructor(child: ChildProcess, configFile: string, ports: Launched['ports']) {
    this.child = child
    this.configFile = configFile
    this.ports = ports
  }

  static async start(config: string): Promise<Launched> {
    const directory = newDirectory()
    const configFile = join(directory, 'nats.conf')
    writeFileSync(configFile, `listen: "127.0.0.1:-1"\nports_file_dir: "${directory}"\n${config}`)
    const child = spawn(process.execPath, [BIN, '-c', configFile], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    children.add(child)
    let output = ''
    for await (const chunk of child.stderr ?? []) {
      output += String(chunk)
      if (output.includes('Server is ready')) break
    }
    const portsFile = join(directory, `nats-server_${child.pid}.ports`)
    assert.ok(existsSync(portsFile), output)
    return new Launched(child, configFile, JSON.parse(readFileSync(portsFile, 'utf8')))
  }

  get url(): string {
    return this.ports['nats']?.[0] ?? ''
  }

  async connect(options: ConnectionOptions = {}): Promise<NatsConnection> {
    const port = new URL(this.url).port
    const client = await connect({ servers: `localhost:${port}`, reconnect: false, ...options })
    clients.add(client)
    return client
  }

  async page(name: string): Promise<Record<string, unknown>> {
    const answer = await fetch(`${this.ports['monitoring']?.[0]}/${name}`)
    return (await answer.json()) as Record<string, unknown>
  }

  reload(config: string): void {
    writeFileSync(this.configFile, `listen: "127.0.0.1:-1"\n${config}`)
    this.child.kill('SIGHUP')
  }
}

describe('nats-server of Spool', () => {
  it('reads a configuration, tells its ports, shows itself, and stops', async () => {
    const server = await Launched.start('http: "127.0.0.1:-1"\nserver_name: N\nmax_payload: 2MB')
    const client = await server.connect({ name: 'me' })
    const subscription = client.subscribe('a.>')
    await client.flush()
    const varz = await server.page('varz')
    assert.equal(varz['server_name'], 'N')
    assert.equal(varz['connections'], 1)
    assert.equal(varz['max_payload'], 2 * 1024 * 1024)
    const connz = await server.page('connz?subs=detail')
    const [connection] = connz['connections'] as Record<string, unknown>[]
    assert.equal(connection?.['name'], 'me')
    const details = connection?.['subscriptions_list_detail'] as { subject: string }[] | undefined
    assert.equal(details?.[0]?.subject, 'a.>')
    assert.equal((await server.page('healthz'))['status'], 'ok')
    assert.equal((await server.page('subsz?subs=1'))['total'], 1)
    subscription.unsubscribe()
    server.child.kill('SIGTERM')
    const [code] = await once(server.child, 'exit')
    assert.equal(code, 0)
  })

  it('shows what JetStream holds on /jsz and /varz', async () => {
    const directory = newDirectory()
    const config = `http: "127.0.0.1:-1"\njetstream { store_dir: "${directory}" }`
    const server = await Launched.start(config)
    const client = await server.connect()
    const stream = { name: 'S', subjects: ['s'], max_bytes: 1000 }
    await client.request('$JS.API.STREAM.CREATE.S', JSON.stringify(stream))
    await client.request('s', 'hello')
    const page = await server.page('jsz')
    const { streams, consumers, messages, bytes, storage, reserved_storage: reserved } = page
    assert.deepEqual([streams, consumers, messages, reserved], [1, 0, 1, 1000])
    assert.ok(Number(bytes) > 5)
    assert.equal(storage, bytes)
    const { stats } = (await server.page('varz'))['jetstream'] as { stats: typeof page }
    assert.equal(stats['storage'], bytes)
    assert.deepEqual(stats['api'], { level: 4, total: 1, errors: 0 })
  })

  it('takes hashed passwords, and other users after SIGHUP', async () => {
    // Of "secret", made with 4 rounds.
    const hash = '$2a$04$1JXtLE5Mg0sS3/8YRNh5m.yH/qqO98K2yq3bRq1W7mPRGP6TYnC4u'
    const users = (password: string): string =>
      `authorization { users: [{user: a, password: "${password}"}] }`
    const server = await Launched.start(users(hash))
    await assert.rejects(server.connect({ user: 'a', pass: 'other' }), /Authorization Violation/i)
    const client = await server.connect({ user: 'a', pass: 'secret' })
    server.reload(users('new'))
    assert.match(String(await client.closed()), /Authorization Violation/i)
    const next = await server.connect({ user: 'a', pass: 'new' })
    await next.flush()
  })

  it('answers the system account, and tells it who comes', async () => {
    const server = await Launched.start(
      'accounts { A { users: [{user: a, password: a}] } ' +
        '$SYS { users: [{user: s, password: s}] } }',
    )
    const system = await server.connect({ user: 's', pass: 's' })
    const events = system.subscribe('$SYS.ACCOUNT.A.CONNECT', { max: 1 })
    await system.flush()
    const client = await server.connect({ user: 'a', pass: 'a' })
    for await (const event of events) {
      assert.equal(event.json<{ client: { user: string } }>().client.user, 'a')
    }
    const varz = (await system.request('$SYS.REQ.SERVER.PING.VARZ')).json<{
      data: { connections: number }
    }>()
    assert.equal(varz.data.connections, 2)
    const info = (await client.request('$SYS.REQ.USER.INFO')).json<{ data: object }>()
    assert.deepEqual(info.data, { user: 'a', account: 'A' })
    await assert.rejects(client.request('$SYS.REQ.SERVER.PING.VARZ'), /no responders/)
  })
})

describe('nats-server of Spool on other transports', () => {
  for (const first of [false, true]) {
    it(`serves TLS ${first ? 'before anything else' : 'after INFO'}`, async () => {
      const server = await Launched.start(`${TLS}, handshake_first: ${first} }`)
      const tls = { caFile: `${FIXTURES}localhost-cert.pem`, handshakeFirst: first }
      const client = await server.connect({ tls })
      const subscription = client.subscribe('a', { max: 1 })
      client.publish('a', 'x'.repeat(500_000))
      for await (const message of subscription) assert.equal(message.data.byteLength, 500_000)
      await assert.rejects(server.connect({ tls: null }))
    })
  }

  it('lets clients do without TLS where that is allowed', async () => {
    const server = await Launched.start(`allow_non_tls: true\n${TLS} }`)
    await (await server.connect({ tls: null })).flush()
    const client = await server.connect({ tls: { caFile: `${FIXTURES}localhost-cert.pem` } })
    await client.flush()
  })

  it('refuses a client without the certificate that it asks for', async () => {
    const verify = `ca_file: "${FIXTURES}localhost-cert.pem", verify: true`
    const server = await Launched.start(`${TLS}, ${verify} }`)
    const own = {
      certFile: `${FIXTURES}localhost-cert.pem`,
      keyFile: `${FIXTURES}localhost-key.pem`,
    }
    const tls = { caFile: `${FIXTURES}localhost-cert.pem` }
    await (await server.connect({ tls: { ...tls, ...own } })).flush()
    await assert.rejects(server.connect({ tls }))
  })

  it('serves WebSocket, in frames of any size', async () => {
    const server = await Launched.start('websocket { listen: "127.0.0.1:-1", no_tls: true }')
    const socket = new WebSocket(server.ports['websocket']?.[0] ?? '')
    let text = ''
    socket.on('message', (data: Buffer) => {
      text += data.toString('latin1')
      if (text.endsWith('MSG a 1 5\r\nhello\r\nPONG\r\n')) socket.close()
    })
    await once(socket, 'open')
    const bytes = 'CONNECT {"verbose":false}\r\nSUB a 1\r\nPUB a 5\r\nhello\r\nPING\r\n'
    for (const byte of bytes) socket.send(Buffer.from(byte))
    await once(socket, 'close')
    assert.match(text, /^INFO \{.*\}\r\nMSG a 1 5/)
  })

  it('sends clients away in lame duck mode, and ends', async () => {
    const grace = 'lame_duck_duration: "1s"\nlame_duck_grace_period: "100ms"'
    const server = await Launched.start(grace)
    const client = await server.connect()
    const isTold = (async () => {
      for await (const { type } of client.status()) if (type === 'ldm') return true
      return false
    })()
    server.child.kill('SIGUSR2')
    const [code] = await once(server.child, 'exit')
    assert.equal(code, 0)
    assert.equal(await isTold, true)
  })
})

describe('nats-server of Spool with an operator', () => {
  it('gives its accounts the JetStream that their claims say, and no other', async () => {
    const operator = generateKeyPairSync('ed25519')
    const iss = publicNkey('operator', operator.publicKey)
    const claims = { aud: '', name: 'x', iat: 1 }
    const storage = { disk_storage: 1_048_576, consumer: -1, streams: 1 }
    const accounts = [storage, { tiered_limits: { R1: storage } }, {}].map((limits) => {
      const { publicKey, privateKey } = generateKeyPairSync('ed25519')
      const sub = publicNkey('account', publicKey)
      const all = { conn: -1, subs: -1, payload: -1, data: -1, ...limits }
      const nats = { limits: all, type: 'account', version: 2 }
      const token = signedClaims({ ...claims, iss, sub, nats }, operator.privateKey)
      const user = publicNkey('user', generateKeyPairSync('ed25519').publicKey)
      const bearer = { bearer_token: true, subs: -1, payload: -1, type: 'user', version: 2 }
      const jwt = signedClaims({ ...claims, iss: sub, sub: user, nats: bearer }, privateKey)
      return { sub, token, jwt }
    })
    const preload = accounts.map(({ sub, token }) => `${sub}: "${token}"`).join('\n')
    const server = await Launched.start(
      `jetstream { store_dir: "${newDirectory()}" }
      trusted_keys: "${iss}"
      resolver: MEMORY
      resolver_preload {\n${preload}\n}`,
    )
    const [plain, tiered, none] = await Promise.all(
      accounts.map(({ jwt }) => server.connect({ authenticator: jwtAuthenticator(jwt) })),
    )
    assert.ok(plain !== undefined && tiered !== undefined && none !== undefined)
    const jsm = await jetstreamManager(plain)
    const info = await jsm.getAccountInfo()
    assert.deepEqual(
      [info.limits.max_storage, info.limits.max_streams, info.limits.max_ack_pending],
      [1_048_576, 1, -1],
    )
    await jsm.streams.add({ name: 'ONE', subjects: ['one'] })
    await assert.rejects(jsm.streams.add({ name: 'TWO', subjects: ['two'] }), /maximum number of/)
    const { limits, tiers } = await (await jetstreamManager(tiered)).getAccountInfo()
    assert.deepEqual([limits.max_storage, tiers?.['R1']?.limits.max_storage], [0, 1_048_576])
    await assert.rejects(jetstreamManager(none), /not enabled for account/)
  })
})

describe('nats-server of Spool that stops', () => {
  it('tells who waits for messages of a consumer', async () => {
    const server = await Launched.start(`jetstream { store_dir: "${newDirectory()}" }`)
    const client = await server.connect()
    const stream = { name: 'S', subjects: ['s'] }
    await client.request('$JS.API.STREAM.CREATE.S', JSON.stringify(stream))
    const consumer = { stream_name: 'S', config: { name: 'C', ack_policy: 'explicit' } }
    await client.request('$JS.API.CONSUMER.CREATE.S.C', JSON.stringify(consumer))
    const told = client.subscribe('told', { max: 1 })
    client.publish('$JS.API.CONSUMER.MSG.NEXT.S.C', '{"batch":1}', { reply: 'told' })
    // Requests are handled in their order.
    await client.request('$JS.API.CONSUMER.INFO.S.C')
    server.child.kill('SIGTERM')
    const statuses: string[] = []
    for await (const { headers } of told) {
      statuses.push(`${headers?.code} ${headers?.description}`)
    }
    assert.deepEqual(statuses, ['409 Server Shutdown'])
  })
})
