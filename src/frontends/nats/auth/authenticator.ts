import { createHash, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../../../ports/clock.ts'
import type { Random } from '../../../ports/random.ts'
import type { Credentials } from '../../../wire/nats/connect-options.ts'
import { type Account, GLOBAL_ACCOUNT } from '../account.ts'
import type { Accounts } from '../accounts.ts'
import { ClaimsAuthenticator } from './claims-authenticator.ts'
import { anybodyIn, type Identity } from './identity.ts'
import { isSignedBy } from './nkey.ts'
import type { ConnectionKind, SecuritySettings, UserSettings } from './security-settings.ts'
import { SubjectPermissions } from './subject-permissions.ts'

/** What is known of a client besides what it says. */
export interface Peer {
  readonly kind: ConnectionKind
  /** Where it comes from. */
  readonly address: string
  /** What it was given to sign. */
  readonly nonce: string
}

export interface AuthenticatorPorts {
  readonly clock: Clock
  readonly random: Random
  /** Whether a bcrypt hash is that of a text. It takes long, so it is done elsewhere. */
  readonly isHashOf: (hash: string, text: string) => Promise<boolean>
}

/** Source: bcryptPrefix of nats-server, and the other names of the same form. */
const BCRYPT = /^\$2[abxy]\$\d\d\$/

const SEED_BELOW = 0x7fffffff

interface KnownUser {
  readonly settings: UserSettings
  readonly identity: Identity
}

/** Tells who a client is, by what it says in CONNECT. */
export class Authenticator {
  readonly settings: SecuritySettings
  readonly #ports: AuthenticatorPorts
  readonly #users = new Map<string, KnownUser>()
  readonly #claims: ClaimsAuthenticator | null
  readonly #tokenHolder: Identity
  /** Who those are that say nothing; null when they have to. */
  readonly anonymous: Identity | null

  constructor(settings: SecuritySettings, accounts: Accounts, ports: AuthenticatorPorts) {
    this.settings = settings
    this.#ports = ports
    for (const user of settings.users) {
      const { permissions } = user
      const limits = settings.accounts.find(({ name }) => name === user.account)
      const identity = {
        ...anybodyIn(accounts.get(user.account)),
        maxAccountConnections: limits?.maxConnections ?? -1,
        maxSubscriptions: limits?.maxSubscriptions ?? -1,
        user: user.user,
        permissions:
          permissions === null
            ? null
            : new SubjectPermissions(permissions, ports.random.int(SEED_BELOW)),
      }
      this.#users.set(user.user, { settings: user, identity })
    }
    const { operator } = settings
    this.#claims =
      operator === null ? null : new ClaimsAuthenticator(operator, settings, accounts, ports)
    this.#tokenHolder = anybodyIn(accounts.get(GLOBAL_ACCOUNT))
    this.anonymous = this.#anonymousOf(this.#tokenHolder)
  }

  /** Where those are who name no account. */
  get globalAccount(): Account {
    return this.#tokenHolder.account
  }

  /** INFO asks clients to say who they are. */
  get isRequired(): boolean {
    const { token, users, operator } = this.settings
    return token !== null || users.length > 0 || operator !== null
  }

  /** Some can sign. */
  get needsNonce(): boolean {
    return this.#claims !== null || this.settings.users.some(({ password }) => password === null)
  }

  /** @returns null when it is nobody who may come in */
  authenticate(credentials: Credentials, peer: Peer): Promise<Identity | null> | Identity | null {
    if (!this.isRequired) return this.anonymous
    if (this.#claims !== null && credentials.jwt !== '') {
      return this.#claims.authenticate(credentials, peer)
    }
    if (credentials.nkey !== '') return this.#byNkey(credentials, peer)
    const { token } = this.settings
    if (token !== null && credentials.token !== '') return this.#byToken(token, credentials.token)
    if (credentials.user !== '') return this.#byPassword(credentials, peer)
    return credentials.token === '' ? this.anonymous : null
  }

  #anonymousOf(anybody: Identity): Identity | null {
    if (!this.isRequired) return anybody
    const { noAuthUser } = this.settings
    return noAuthUser === null ? null : (this.#users.get(noAuthUser)?.identity ?? null)
  }

  #byNkey({ nkey, signature }: Credentials, { kind, nonce }: Peer): Identity | null {
    const user = this.#users.get(nkey)
    if (user === undefined || user.settings.password !== null) return null
    if (!isOfKind(user.settings, kind)) return null
    const isOwner = isSignedBy(
      nkey,
      'user',
      Buffer.from(nonce),
      Buffer.from(signature, 'base64url'),
    )
    return isOwner ? user.identity : null
  }

  #byToken(token: string, given: string): Promise<Identity | null> | Identity | null {
    return this.#checked(token, given, this.#tokenHolder)
  }

  #byPassword(
    { user: name, password }: Credentials,
    { kind }: Peer,
  ): Promise<Identity | null> | Identity | null {
    const user = this.#users.get(name)
    if (user === undefined || user.settings.password === null) return null
    if (!isOfKind(user.settings, kind)) return null
    return this.#checked(user.settings.password, password, user.identity)
  }

  #checked(
    secret: string,
    given: string,
    identity: Identity,
  ): Promise<Identity | null> | Identity | null {
    if (!BCRYPT.test(secret)) return isSame(secret, given) ? identity : null
    return this.#ports.isHashOf(secret, given).then((isRight) => (isRight ? identity : null))
  }
}

function isOfKind({ kinds }: UserSettings, kind: ConnectionKind): boolean {
  return kinds === null || kinds.includes(kind)
}

/** Takes as long for a wrong text as for the right one. */
function isSame(secret: string, given: string): boolean {
  return timingSafeEqual(digest(secret), digest(given))
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
