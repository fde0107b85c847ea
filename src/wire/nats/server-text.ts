/** What a server tells about itself. Source: `Info` of nats-server. */
export interface ServerInfo {
  readonly server_id: string
  readonly server_name: string
  /** Clients decide by it which features they use. */
  readonly version: string
  readonly proto: number
  readonly git_commit: string
  readonly go: string
  readonly host: string
  readonly port: number
  readonly headers: boolean
  readonly max_payload: number
  readonly client_id?: number
  readonly client_ip?: string
  /** A client has to say who it is. */
  readonly auth_required?: boolean
  /** What a client signs with its key. */
  readonly nonce?: string
  /** A client has to use TLS. */
  readonly tls_required?: boolean
  /** A client may use TLS. */
  readonly tls_available?: boolean
  /** A client has to have a certificate. */
  readonly tls_verify?: boolean
  /** Other addresses of the server. */
  readonly connect_urls?: readonly string[]
  readonly ws_connect_urls?: readonly string[]
  /** The server stops soon. */
  readonly ldm?: boolean
  /** The client is known now, and has what follows. */
  readonly connect_info?: boolean
  readonly remote_account?: string
  readonly acc_is_sys?: boolean
  /** Streams are served. */
  readonly jetstream?: boolean
  /** The level of JetStream's API. */
  readonly api_lvl?: number
}

export const PING = Buffer.from('PING\r\n', 'latin1')
export const PONG = Buffer.from('PONG\r\n', 'latin1')
export const OK = Buffer.from('+OK\r\n', 'latin1')

/** Bytes of an empty status header that names a subject, without the subject. */
const NO_RESPONDERS_BYTES = 32

export function infoLine(info: ServerInfo): Buffer {
  return Buffer.from(`INFO ${JSON.stringify(info)}\r\n`, 'utf8')
}

export function errorLine(text: string): Buffer {
  return Buffer.from(`-ERR '${text}'\r\n`, 'latin1')
}

/**
 * Tells who asked that nobody listens. All texts have one character for each byte.
 * Source: processInboundClientMsg of nats-server.
 */
export function noRespondersMessage(reply: string, sid: string, subject: string): Buffer {
  const byteCount = NO_RESPONDERS_BYTES + subject.length
  const header = `NATS/1.0 503\r\nNats-Subject: ${subject}\r\n\r\n`
  return Buffer.from(`HMSG ${reply} ${sid} ${byteCount} ${byteCount}\r\n${header}\r\n`, 'latin1')
}
