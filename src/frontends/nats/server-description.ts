import type { Random } from '../../ports/random.ts'
import type { Connection } from '../../ports/transport.ts'
import type { ServerInfo } from '../../wire/nats/server-text.ts'

/** The nats-server whose features clients may expect. */
export const NATS_VERSION = '2.14.0'

/** Source: a server is named by an nkey, which is 56 characters of base32 and begins with N. */
const SERVER_ID_LENGTH = 56
const BASE_32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** Source: nonceLen of nats-server: 15 characters of base64url. */
const NONCE_LENGTH = 15
const BASE_64_URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** What a client must do about TLS. */
export interface TlsDemands {
  readonly isRequired: boolean
  readonly isAvailable: boolean
  /** It needs a certificate. */
  readonly verifies: boolean
}

export const NO_TLS: TlsDemands = { isRequired: false, isAvailable: false, verifies: false }

export function newServerId(random: Random): string {
  return randomText(random, BASE_32, SERVER_ID_LENGTH, 'N')
}

export function newNonce(random: Random): string {
  return randomText(random, BASE_64_URL, NONCE_LENGTH, '')
}

function randomText(random: Random, alphabet: string, length: number, start: string): string {
  let text = start
  while (text.length < length) text += alphabet[random.int(alphabet.length)]
  return text
}

/** The part of INFO that is the same for all clients. */
export function describeServer(
  serverId: string,
  serverName: string,
): Pick<
  ServerInfo,
  'server_id' | 'server_name' | 'version' | 'proto' | 'git_commit' | 'go' | 'headers'
> {
  return {
    server_id: serverId,
    server_name: serverName,
    version: NATS_VERSION,
    proto: 1,
    git_commit: 'spool',
    go: 'node',
    headers: true,
  }
}

/** The part of INFO that TLS makes, for a connection as it is now. */
export function describeTls(
  { isRequired, isAvailable, verifies }: TlsDemands,
  { encryption }: Connection,
): Partial<ServerInfo> {
  // Who has TLS already needs to be told as well: the library may have asked for it.
  const isOn = encryption !== undefined && encryption !== null
  return {
    ...((isRequired || isOn) && { tls_required: true }),
    ...(isAvailable && { tls_available: true }),
    ...(verifies && { tls_verify: true }),
  }
}
