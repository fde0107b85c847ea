import type { Timer } from '../../ports/scheduler.ts'
import type { ConnectOptions } from '../../wire/nats/connect-options.ts'
import { ErrorText } from '../../wire/nats/error-text.ts'
import { atTime } from './at-time.ts'
import type { Identity } from './auth/identity.ts'
import type { ConnectionKind } from './auth/security-settings.ts'
import type { NatsServices } from './nats-services.ts'
import type { SessionOrigin } from './session-origin.ts'

/** What comes of somebody saying who it is. */
export type Outcome = Identity | null | Promise<Identity | null>

/** Who the client of a session is: nobody at first, and nobody again when its time is over. */
export class SessionIdentity {
  current: Identity | null = null
  readonly kind: ConnectionKind
  readonly address: string
  readonly nonce: string
  readonly #services: NatsServices
  readonly #fail: (text: string, reason: string) => void
  #timer: Timer | null = null

  /** @param fail closes the connection */
  constructor(
    services: NatsServices,
    { kind, info, connection }: SessionOrigin,
    fail: (text: string, reason: string) => void,
  ) {
    this.#services = services
    this.kind = kind
    this.address = connection.remoteAddress
    this.nonce = info.nonce ?? ''
    this.#fail = fail
  }

  /** The client must say who it is before long, if it has to. */
  expect(): void {
    const { authenticator, scheduler } = this.#services
    if (authenticator.anonymous !== null) {
      this.accept(authenticator.anonymous)
    } else {
      this.#timer = scheduler.after(authenticator.settings.timeoutMs, () =>
        this.#fail(ErrorText.AUTHENTICATION_TIMEOUT, 'it did not say who it is in time'),
      )
    }
  }

  check({ credentials }: ConnectOptions): Outcome {
    return this.#services.authenticator.authenticate(credentials, this)
  }

  /** @returns what is said to a client that can't be one more of its account, or null */
  accept(identity: Identity): string | null {
    if (this.current?.account !== identity.account) {
      const { account, maxAccountConnections } = identity
      const isFull = maxAccountConnections >= 0 && account.connectionCount >= maxAccountConnections
      if (isFull) return ErrorText.MAX_ACCOUNT_CONNECTIONS
      this.leave()
      account.connectionCount++
    }
    this.current = identity
    this.#timer?.cancel()
    this.#timer = null
    if (identity.expiry !== null) {
      const { atMs, text } = identity.expiry
      this.#timer = atTime(atMs, this.#services, () => this.#fail(text, 'its time is over'))
    }
    return null
  }

  /** The session is over, or its client is somebody else. */
  leave(): void {
    this.#timer?.cancel()
    this.#timer = null
    if (this.current !== null) this.current.account.connectionCount--
    this.current = null
  }
}

/** What is wrong with a CONNECT, before anybody asks who it is: what the client is told, and why. */
export function refusalOfConnect(
  options: ConnectOptions,
): { readonly text: string; readonly reason: string } | null {
  const { namesAccount, protocol, noResponders, headers } = options
  if (namesAccount) {
    return { text: ErrorText.AUTHORIZATION_VIOLATION, reason: 'the client names an account' }
  }
  if (protocol < 0 || protocol > 1) {
    return { text: ErrorText.INVALID_CLIENT_PROTOCOL, reason: 'an unknown protocol version' }
  }
  if (!noResponders || headers) return null
  return { text: ErrorText.NO_RESPONDERS_NEEDS_HEADERS, reason: 'no_responders without headers' }
}
