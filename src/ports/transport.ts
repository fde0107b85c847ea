/** One accepted stream connection, as a session uses it. */
export interface Connection {
  /** Numeric address of the peer, e.g. `127.0.0.1`. */
  readonly remoteAddress: string
  readonly remotePort: number
  /** The address and port the peer connected to. */
  readonly localAddress: string
  readonly localPort: number
  /** How it is encrypted now; missing or null: not at all. */
  readonly encryption?: Encryption | null
  /** Bytes given to `write` that the kernel has not taken yet. */
  readonly unsentBytes: number
  /**
   * Sends pieces in order, as one system call where possible.
   * @param sent called once when the kernel has the bytes or the connection is gone
   */
  write(pieces: readonly Buffer[], sent: (() => void) | null): void
  /** Stops reading, so that the peer is slowed down by TCP. */
  pause(): void
  resume(): void
  /** Closes after what was written is sent. */
  end(): void
  /** Closes now. */
  destroy(): void
}

/** What TLS agreed on with the peer. */
export interface Encryption {
  /** e.g. `TLSv1.3` */
  readonly version: string
  readonly cipher: string
}

/**
 * The protocol side of a connection: a machine that is fed bytes. The transport asks where the next
 * bytes shall go, reads them there, and says how many came; it is never asked twice in between.
 */
export interface StreamSession {
  /** Room for at least one byte. The memory is used only until the next `received`. */
  nextBuffer(): Buffer
  /** What can't be the protocol makes the session close its connection. */
  received(byteCount: number): void
  /** The connection is gone, for whatever reason. Called exactly once. */
  closed(): void
}

/** Counts connections, up to a limit. */
export interface ConnectionCounter {
  /** Counts one more. @returns false: it would be one too many, and is not counted */
  add(address: string): boolean
  remove(address: string): void
  /** Those of one address. */
  of(address: string): number
}

export interface ListenOptions {
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  readonly maxConnections: number
  readonly maxConnectionsPerIp: number
  /** Addresses with a limit of their own; the rest have `maxConnectionsPerIp`. */
  readonly maxConnectionsPerIpOverrides: ReadonlyMap<string, number>
  /** Counts those of all listeners together; both limits hold. */
  readonly shared?: ConnectionCounter
  /** A connection on which nothing was read or written for so long is closed; -1: never. */
  readonly idleTimeoutMs: number
}

export interface Listener {
  readonly host: string
  readonly port: number
  readonly connectionCount: number
  /** Stops accepting; connections that are open stay. */
  stopAccepting(): Promise<void>
  /** Closes everything. */
  close(): Promise<void>
}

export interface Transport {
  /** @throws ConfigError when the address is in use or not ours */
  listen(
    options: ListenOptions,
    accept: (connection: Connection) => StreamSession,
  ): Promise<Listener>
}
