import type { Connection } from '../../ports/transport.ts'
import type { ServerInfo } from '../../wire/nats/server-text.ts'
import type { ConnectionKind } from './auth/security-settings.ts'

/** How a client came. */
export interface SessionOrigin {
  readonly connection: Connection
  readonly kind: ConnectionKind
  /** A client without TLS is refused. */
  readonly requiresTls: boolean
  readonly info: ServerInfo
}
