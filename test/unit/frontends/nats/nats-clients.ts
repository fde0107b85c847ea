import {
  OPEN,
  type SecuritySettings,
} from '../../../../src/frontends/nats/auth/security-settings.ts'
import { NatsFrontend } from '../../../../src/frontends/nats/nats-frontend.ts'
import type { NatsLimits } from '../../../../src/frontends/nats/nats-services.ts'
import type {
  Connection,
  Listener,
  ListenOptions,
  StreamSession,
  Transport,
} from '../../../../src/ports/transport.ts'
import { ManualScheduler } from '../../support/manual-scheduler.ts'
import { CountingRandom, FakeClock, SILENT } from '../../support/ports.ts'
import { RecordingMeter } from '../../support/recording-meter.ts'

export const LIMITS: NatsLimits = {
  maxControlLineBytes: 4096,
  maxPayloadBytes: 1024 * 1024,
  maxPendingBytes: 3 * 1024 * 1024,
  stallBytes: 1024 * 1024,
  maxSubscriptions: 3,
  pingIntervalMs: 10_000,
  maxPingsOut: 2,
  writeDeadlineMs: 5_000,
}

/** A client without a socket. */
export class FakeClient implements Connection {
  readonly remoteAddress = '127.0.0.1'
  readonly remotePort = 50_000
  readonly localAddress = '127.0.0.1'
  readonly localPort = 4222
  readonly unsentBytes = 0
  isPaused = false
  isClosed = false
  /** It takes what it is sent only when asked to. */
  isSlow = false
  #session: StreamSession | null = null
  #received: Buffer[] = []
  #waiting: (() => void)[] = []

  attach(session: StreamSession): void {
    this.#session = session
  }

  send(text: string): void {
    const bytes = Buffer.from(text, 'latin1')
    for (let at = 0; at < bytes.byteLength && !this.isClosed; ) {
      const into = this.#session?.nextBuffer() ?? Buffer.alloc(0)
      const byteCount = Math.min(into.byteLength, bytes.byteLength - at)
      bytes.copy(into, 0, at, at + byteCount)
      at += byteCount
      this.#session?.received(byteCount)
    }
  }

  /** What came since the last call; INFO lines are cut short. */
  read(): string {
    const text = Buffer.concat(this.#received.splice(0)).toString('latin1')
    return text.replace(/INFO \{.*?\}\r\n/g, 'INFO\r\n')
  }

  readRaw(): string {
    return Buffer.concat(this.#received.splice(0)).toString('latin1')
  }

  /** The kernel takes the oldest write of a slow client. */
  take(): void {
    this.#waiting.shift()?.()
  }

  get waitingCount(): number {
    return this.#waiting.length
  }

  write(pieces: readonly Buffer[], sent: (() => void) | null): void {
    for (const piece of pieces) this.#received.push(Buffer.from(piece))
    if (sent === null) return
    if (this.isSlow) this.#waiting.push(sent)
    else sent()
  }

  pause(): void {
    this.isPaused = true
  }

  resume(): void {
    this.isPaused = false
  }

  end(): void {
    this.destroy()
  }

  destroy(): void {
    if (this.isClosed) return
    this.isClosed = true
    this.#session?.closed()
  }
}

class FakeTransport implements Transport {
  accept: ((connection: Connection) => StreamSession) | null = null

  async listen(
    options: ListenOptions,
    accept: (connection: Connection) => StreamSession,
  ): Promise<Listener> {
    this.accept = accept
    const { host, port } = options
    return {
      ...{ host, port, connectionCount: 0 },
      async stopAccepting() {},
      async close() {},
    }
  }
}

/** A NATS front end whose clients are in the test. */
export class TestServer {
  readonly scheduler: ManualScheduler
  readonly frontend: NatsFrontend
  readonly meter = new RecordingMeter()
  readonly clock = new FakeClock()
  readonly #transport = new FakeTransport()

  private constructor(limits: NatsLimits, security: SecuritySettings) {
    this.scheduler = new ManualScheduler(this.clock)
    this.frontend = new NatsFrontend({
      serverName: 'test',
      security,
      isHashOf: async (hash, text) => hash.endsWith(text),
      clock: this.clock,
      scheduler: this.scheduler,
      random: new CountingRandom(),
      logger: SILENT,
      meter: this.meter,
      limits,
    })
  }

  static async start(
    limits: Partial<NatsLimits> = {},
    maxConnections = 100,
    security = OPEN,
  ): Promise<TestServer> {
    const server = new TestServer({ ...LIMITS, ...limits }, security)
    const options = {
      host: '127.0.0.1',
      port: 4222,
      maxConnections,
      maxConnectionsPerIp: maxConnections,
      maxConnectionsPerIpOverrides: new Map(),
      idleTimeoutMs: -1,
    }
    await server.frontend.listen({ transport: server.#transport, options, kind: 'STANDARD' })
    return server
  }

  /** A client that has read its INFO and sent `connect`. */
  connect(connect: object | null = { verbose: false, pedantic: false }): FakeClient {
    const client = new FakeClient()
    const session = this.#transport.accept?.(client)
    if (session !== undefined) client.attach(session)
    this.scheduler.finishTurn()
    if (connect !== null) {
      client.read()
      client.send(`CONNECT ${JSON.stringify(connect)}\r\n`)
    }
    return client
  }
}

/** CONNECT of today's client libraries. */
export const MODERN = {
  verbose: false,
  pedantic: false,
  headers: true,
  no_responders: true,
  protocol: 1,
}
