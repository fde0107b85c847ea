import type net from 'node:net'
import tls from 'node:tls'
import type { Logger } from '../ports/logger.ts'

/** When TLS begins: `upgrade` after the first bytes in clear, `first` before any. */
export type TlsStart = 'upgrade' | 'first'

export interface TlsSettings {
  readonly start: TlsStart
  /** PEM. */
  readonly certificate: string | Buffer
  readonly key: string | Buffer
  /** Who signs the certificates of clients; null: nobody is asked for one. */
  readonly clientAuthority: string | Buffer | null
  /** A client without a certificate that the authority signed is refused. */
  readonly verifiesClients: boolean
  readonly handshakeTimeoutMs: number
  readonly minVersion?: tls.SecureVersion
}

/** The first byte of a client that begins with TLS. Source: RFC 8446, ContentType handshake. */
const HANDSHAKE = 0x16

/** Makes TLS of accepted sockets. */
export class TlsSockets {
  readonly #logger: Logger
  #settings: TlsSettings
  #context: tls.SecureContext

  /** @throws Error for a certificate or key that can't be used */
  constructor(settings: TlsSettings, logger: Logger) {
    this.#logger = logger
    this.#settings = settings
    this.#context = contextOf(settings)
  }

  get start(): TlsStart {
    return this.#settings.start
  }

  /** For connections from now on. */
  replace(settings: TlsSettings): void {
    this.#context = contextOf(settings)
    this.#settings = settings
  }

  /**
   * Calls `ready` once the handshake is done. A peer that fails in it is closed.
   * @param head what was read of it already
   */
  secure(socket: net.Socket, head: Buffer | null, ready: (secured: tls.TLSSocket) => void): void {
    if (head !== null) socket.unshift(head)
    const { verifiesClients, clientAuthority, handshakeTimeoutMs } = this.#settings
    const secured = new tls.TLSSocket(socket, {
      isServer: true,
      secureContext: this.#context,
      requestCert: verifiesClients || clientAuthority !== null,
      rejectUnauthorized: verifiesClients,
    })
    const timer = setTimeout(() => secured.destroy(), handshakeTimeoutMs)
    secured.on('error', (error) => {
      this.#logger.debug('TLS failed', { address: socket.remoteAddress, error })
      secured.destroy()
    })
    secured.once('close', () => clearTimeout(timer))
    secured.once('secure', () => {
      clearTimeout(timer)
      const error = (
        secured as unknown as { ssl?: { verifyError(): Error | null } }
      ).ssl?.verifyError()
      if (verifiesClients && (error || secured.getPeerCertificate().raw === undefined)) {
        this.#logger.debug('a certificate was refused', { address: socket.remoteAddress, error })
        secured.destroy()
      } else ready(secured)
    })
  }
}

/** The peer begins with TLS. */
export function isHandshake(head: Buffer): boolean {
  return head[0] === HANDSHAKE
}

function contextOf(settings: TlsSettings): tls.SecureContext {
  return tls.createSecureContext({
    cert: settings.certificate,
    key: settings.key,
    ...(settings.clientAuthority !== null && { ca: settings.clientAuthority }),
    ...(settings.minVersion !== undefined && { minVersion: settings.minVersion }),
  })
}
