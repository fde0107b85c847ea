import assert from 'node:assert/strict'
import { once } from 'node:events'
import net from 'node:net'
import { afterEach, describe, it } from 'node:test'
import { NodeTransport } from '../../../src/adapters/node-transport.ts'
import type { Receive } from '../../../src/adapters/socket-receive.ts'
import { ConfigError } from '../../../src/base/errors.ts'
import type {
  Connection,
  Listener,
  ListenOptions,
  StreamSession,
} from '../../../src/ports/transport.ts'
import { SILENT } from '../support/ports.ts'

const ROOM_BYTES = 1000

/** What a session was given, with little room for each read. */
class RecordingSession implements StreamSession {
  readonly connection: Connection
  readonly chunks: Buffer[] = []
  closedCount = 0
  onBytes: (() => void) | null = null
  readonly #room = Buffer.alloc(ROOM_BYTES)
  #isAsked = false

  constructor(connection: Connection) {
    this.connection = connection
  }

  get text(): string {
    return Buffer.concat(this.chunks).toString()
  }

  nextBuffer(): Buffer {
    this.#isAsked = true
    return this.#room
  }

  received(byteCount: number): void {
    assert.ok(this.#isAsked && byteCount > 0 && byteCount <= ROOM_BYTES)
    this.#isAsked = false
    this.chunks.push(Buffer.from(this.#room.subarray(0, byteCount)))
    this.onBytes?.()
  }

  closed(): void {
    this.closedCount++
  }
}

const listeners: Listener[] = []
const clients: net.Socket[] = []

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy()
  for (const listener of listeners.splice(0)) await listener.close()
})

async function listen(receive: Receive, options: Partial<ListenOptions> = {}) {
  const sessions: RecordingSession[] = []
  const transport = new NodeTransport({ logger: SILENT, receive })
  const all = {
    host: '127.0.0.1',
    port: 0,
    maxConnections: 100,
    maxConnectionsPerIp: 100,
    maxConnectionsPerIpOverrides: new Map(),
    idleTimeoutMs: -1,
  }
  const listener = await transport.listen({ ...all, ...options }, (connection) => {
    const session = new RecordingSession(connection)
    sessions.push(session)
    return session
  })
  listeners.push(listener)
  const connect = async (localAddress = '127.0.0.1') => {
    const client = net.connect({ port: listener.port, host: '127.0.0.1', localAddress })
    client.on('error', () => {})
    clients.push(client)
    await once(client, 'connect')
    return client
  }
  /** A client and the session it got. */
  const pair = async () => {
    const count = sessions.length
    const client = await connect()
    await until(() => sessions.length > count)
    return { client, session: sessions[count] as RecordingSession }
  }
  return { listener, sessions, connect, pair }
}

/** Turns of the event loop until the condition holds; the runner's time limit ends a test. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve))
}

const isClosed = (client: net.Socket) => client.closed

for (const receive of ['own-memory', 'data'] as const) {
  describe(`bytes over TCP, receiving by ${receive}`, () => {
    it('come in order, in pieces that fit the room', async () => {
      const { client, session } = await (await listen(receive)).pair()
      const sent = Buffer.alloc(300_000, 'kafka')
      client.write(sent)
      await until(() => session.text.length === sent.byteLength)
      assert.equal(session.text, sent.toString())
    })

    it('leave in order, and each write is told once when the kernel has it', async () => {
      const { client, session } = await (await listen(receive)).pair()
      let received = ''
      client.setEncoding('utf8').on('data', (text) => {
        received += text
      })
      let sentCount = 0
      const pieces = [Buffer.from('one '), Buffer.alloc(100_000, 'x'), Buffer.from(' two ')]
      session.connection.write(pieces, () => void sentCount++)
      session.connection.write([Buffer.from('three')], null)
      session.connection.write([Buffer.from(' four')], () => void sentCount++)
      const expected = `one ${'x'.repeat(100_000)} two three four`
      await until(() => received.length >= expected.length && sentCount === 2)
      assert.equal(received, expected)
      assert.equal(session.connection.unsentBytes, 0)
    })

    it('wait while the session pauses, and come when it resumes', async () => {
      const { client, session } = await (await listen(receive)).pair()
      session.onBytes = () => session.connection.pause()
      client.write(Buffer.alloc(5_000_000, 'x'))
      await until(() => session.chunks.length > 0)
      // One read may have been under way; a chunk of Node's own is handed over whole.
      await turns(20)
      const paused = session.text.length
      assert.ok(paused <= 70_000, `${paused} bytes after a pause`)
      await turns(20)
      assert.equal(session.text.length, paused)
      session.onBytes = null
      session.connection.resume()
      await until(() => session.text.length === 5_000_000)
    })

    it('that a peer does not read are counted as unsent', async () => {
      const { client, session } = await (await listen(receive)).pair()
      client.pause()
      let isSent = false
      session.connection.write([Buffer.alloc(20_000_000)], () => {
        isSent = true
      })
      await turns(20)
      assert.ok(session.connection.unsentBytes > 0)
      assert.equal(isSent, false)
      client.on('data', () => {})
      client.resume()
      await until(() => isSent)
      assert.equal(session.connection.unsentBytes, 0)
    })

    it('know both ends of the connection', async () => {
      const { listener, pair } = await listen(receive)
      const { client, session } = await pair()
      const { remoteAddress, remotePort, localAddress, localPort } = session.connection
      assert.deepEqual([remoteAddress, remotePort], ['127.0.0.1', client.localPort])
      assert.deepEqual([localAddress, localPort], ['127.0.0.1', listener.port])
    })
  })

  describe(`the end of a connection, receiving by ${receive}`, () => {
    it('by the peer is told to the session once', async () => {
      const { listener, pair } = await listen(receive)
      const { client, session } = await pair()
      client.end()
      await until(() => session.closedCount === 1)
      assert.equal(listener.connectionCount, 0)
      await turns(5)
      assert.equal(session.closedCount, 1)
    })

    it('by a reset is told to the session', async () => {
      const { client, session } = await (await listen(receive)).pair()
      client.resetAndDestroy()
      await until(() => session.closedCount === 1)
    })

    it('by the session in the middle of a read brings nothing more', async () => {
      const { client, session } = await (await listen(receive)).pair()
      session.onBytes = () => session.connection.destroy()
      client.write(Buffer.alloc(500_000))
      await until(() => session.closedCount === 1 && isClosed(client))
      assert.equal(session.chunks.length, 1)
    })

    it('tells those whose bytes were not sent', async () => {
      const { client, session } = await (await listen(receive)).pair()
      client.pause()
      let sentCount = 0
      session.connection.write([Buffer.alloc(20_000_000)], () => void sentCount++)
      session.connection.destroy()
      await until(() => sentCount === 1)
      session.connection.write([Buffer.from('late')], () => void sentCount++)
      assert.equal(sentCount, 2)
    })

    it('by `end` comes after what was written', async () => {
      const { client, session } = await (await listen(receive)).pair()
      let byteCount = 0
      client.on('data', ({ byteLength }) => {
        byteCount += byteLength
      })
      session.connection.write([Buffer.alloc(3_000_000), Buffer.alloc(10)], null)
      session.connection.end()
      await until(() => isClosed(client) && session.closedCount === 1)
      assert.equal(byteCount, 3_000_010)
    })

    it('comes by itself when nothing happens for the idle time', async () => {
      const { client, session } = await (await listen(receive, { idleTimeoutMs: 20 })).pair()
      client.resume()
      await until(() => session.closedCount === 1 && isClosed(client))
    })
  })

  describe(`the limits of a listener, receiving by ${receive}`, () => {
    it('refuse connections above the total, and take new ones when there is room', async () => {
      const { listener, connect, pair, sessions } = await listen(receive, { maxConnections: 2 })
      const first = await pair()
      await pair()
      const refused = await connect()
      refused.resume()
      await until(() => isClosed(refused))
      assert.deepEqual([sessions.length, listener.connectionCount], [2, 2])
      first.client.destroy()
      await until(() => listener.connectionCount === 1)
      await pair()
    })

    it('count each address for itself, and some have their own', async () => {
      const maxConnectionsPerIpOverrides = new Map([['127.0.0.3', 2]])
      const options = { maxConnectionsPerIp: 1, maxConnectionsPerIpOverrides }
      const { connect, sessions, listener } = await listen(receive, options)
      const addresses = ['127.0.0.1', '127.0.0.2', '127.0.0.3', '127.0.0.3']
      const accepted = []
      for (const address of addresses) {
        const count = sessions.length
        accepted.push(await connect(address))
        await until(() => sessions.length > count)
      }
      for (const address of ['127.0.0.1', '127.0.0.3']) {
        const refused = await connect(address)
        refused.resume()
        await until(() => isClosed(refused))
      }
      assert.equal(listener.connectionCount, 4)
      accepted[0]?.destroy()
      await until(() => listener.connectionCount === 3)
      const count = sessions.length
      await connect('127.0.0.1')
      await until(() => sessions.length > count)
    })
  })

  describe(`a listener that stops, receiving by ${receive}`, () => {
    it('takes no new connections while those that are open go on', async () => {
      const { listener, pair, connect } = await listen(receive)
      const { client, session } = await pair()
      const stopped = listener.stopAccepting()
      await assert.rejects(connect(), { code: 'ECONNREFUSED' })
      client.write('still here')
      await until(() => session.text === 'still here')
      client.destroy()
      await stopped
    })

    it('closes everything, with or without stopping first', async () => {
      for (const stopsFirst of [true, false]) {
        const { listener, pair } = await listen(receive)
        const { client, session } = await pair()
        client.resume()
        const stopped = stopsFirst ? listener.stopAccepting() : Promise.resolve()
        await listener.close()
        await stopped
        await until(() => session.closedCount === 1 && isClosed(client))
        assert.equal(listener.connectionCount, 0)
      }
    })
  })
}

describe('an address that cannot be used', () => {
  it('is named, with what to do', async () => {
    const { listener } = await listen('data')
    await assert.rejects(listen('data', { port: listener.port }), (error) => {
      assert.ok(error instanceof ConfigError)
      assert.match(error.message, new RegExp(`127.0.0.1:${listener.port} is in use.*another port`))
      return true
    })
    await assert.rejects(listen('data', { host: '192.0.2.1' }), /not an address of this machine/)
  })

  it('may say who has it', async () => {
    const { listener } = await listen('data')
    const transport = new NodeTransport({
      logger: SILENT,
      describeAddressInUse: (host, port) => `another broker has ${host}:${port}`,
    })
    const { port } = listener
    const limits = { maxConnections: 1, maxConnectionsPerIp: 1, idleTimeoutMs: -1 }
    const options = { host: '127.0.0.1', port, ...limits, maxConnectionsPerIpOverrides: new Map() }
    await assert.rejects(
      transport.listen(options, () => assert.fail('nobody connects')),
      /another broker has 127.0.0.1/,
    )
  })
})
