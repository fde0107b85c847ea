import type { Clock } from '../../../ports/clock.ts'
import type { Random } from '../../../ports/random.ts'
import type { Credentials } from '../../../wire/nats/connect-options.ts'
import { ErrorText } from '../../../wire/nats/error-text.ts'
import type { Accounts } from '../accounts.ts'
import {
  type Claims,
  isRevoked,
  objectOf,
  permissionsOf,
  type Rules,
  readClaims,
  type Signers,
  signersOf,
  textsOf,
} from './claims.ts'
import { ConnectTimes } from './connect-times.ts'
import type { Expiry, Identity } from './identity.ts'
import { isSignedBy } from './nkey.ts'
import type { ConnectionKind, OperatorSettings, SecuritySettings } from './security-settings.ts'
import { SourceNetworks } from './source-networks.ts'
import { SubjectPermissions } from './subject-permissions.ts'

const SEED_BELOW = 0x7fffffff

/** An account as its claims have it. */
interface ClaimedAccount {
  readonly claims: Claims
  readonly signers: Signers
}

/** Users whose claims were signed by an account that was signed by an operator who is trusted. */
export class ClaimsAuthenticator {
  readonly #accounts: Accounts
  readonly #clock: Clock
  readonly #random: Random
  readonly #claimed = new Map<string, ClaimedAccount>()
  readonly #systemAccount: string

  constructor(
    operator: OperatorSettings,
    settings: SecuritySettings,
    accounts: Accounts,
    { clock, random }: { readonly clock: Clock; readonly random: Random },
  ) {
    this.#accounts = accounts
    this.#clock = clock
    this.#random = random
    this.#systemAccount = settings.systemAccount
    for (const [name, token] of operator.accountClaims) {
      const claims = readClaims(token, 'operator')
      if (claims === null || claims.subject !== name) continue
      if (!operator.trustedKeys.includes(claims.issuer)) continue
      this.#claimed.set(name, { claims, signers: signersOf(claims) })
    }
  }

  /** @returns null when it is nobody who may come in */
  authenticate(
    { jwt, signature }: Credentials,
    peer: { readonly kind: ConnectionKind; readonly nonce: string; readonly address: string },
  ): Identity | null {
    const user = readClaims(jwt, 'account')
    if (user === null || !this.#isCurrent(user)) return null
    const issuerAccount = user.body['issuer_account']
    const name =
      typeof issuerAccount === 'string' && issuerAccount !== '' ? issuerAccount : user.issuer
    const account = this.#claimed.get(name)
    if (account === undefined || !this.#isCurrent(account.claims)) return null
    const scope = account.signers.get(user.issuer)
    if (scope === undefined || isRevoked(user, objectOf(account.claims.body['revocations'])))
      return null
    const rules = scope ?? user.body
    if (!isOfKind(rules, peer.kind)) return null
    const isBearer = rules['bearer_token'] === true
    const bytes = Buffer.from(signature, 'base64url')
    if (!isBearer && !isSignedBy(user.subject, 'user', Buffer.from(peer.nonce), bytes)) return null
    if (!isFromThere(rules, peer.address)) return null
    const untilMs = endOfTimes(rules, this.#clock.nowMs())
    return untilMs === null ? null : this.#identityOf(user, rules, account.claims, untilMs)
  }

  #identityOf(user: Claims, rules: Rules, accountClaims: Claims, untilMs: number): Identity {
    const defaults = objectOf(accountClaims.body['default_permissions'])
    const permissions = permissionsOf(rules) ?? permissionsOf(defaults)
    const limits = objectOf(accountClaims.body['limits'])
    const account = this.#accounts.get(accountClaims.subject)
    account.title = accountClaims.name
    account.isSystem = account.name === this.#systemAccount
    return {
      user: user.subject,
      userTag: user.name,
      account,
      permissions:
        permissions === null
          ? null
          : new SubjectPermissions(permissions, this.#random.int(SEED_BELOW)),
      expiry: earliest(user, accountClaims, untilMs),
      maxSubscriptions: lowerLimit(rules['subs'], limits['subs']),
      maxPayloadBytes: lowerLimit(rules['payload'], limits['payload']),
      maxAccountConnections: lowerLimit(limits['conn'], -1),
    }
  }

  #isCurrent({ expiresAtMs, notBeforeMs }: Claims): boolean {
    const nowMs = this.#clock.nowMs()
    return (expiresAtMs === null || nowMs < expiresAtMs) && (notBeforeMs ?? 0) <= nowMs
  }
}

function isOfKind(rules: Rules, kind: ConnectionKind): boolean {
  const kinds = textsOf(rules['allowed_connection_types']).map((name) => name.toUpperCase())
  return kinds.length === 0 || kinds.includes(kind)
}

/** Source: validateSrc of nats-server, and CIDRList of jwt/v2: a list, or a text with commas. */
function isFromThere({ src = null }: Rules, address: string): boolean {
  if (src === null) return true
  const ranges = typeof src === 'string' ? rangesIn(src) : src
  if (!Array.isArray(ranges) || ranges.some((range) => typeof range !== 'string')) return false
  return ranges.length === 0 || SourceNetworks.of(textsOf(ranges))?.has(address) === true
}

function rangesIn(text: string): string[] {
  const ranges = text.split(',').map((range) => range.trim())
  return ranges.filter((range) => range !== '')
}

/** @returns when a user has to leave again; null: it may not be connected now */
function endOfTimes({ times, times_location: zone }: Rules, nowMs: number): number | null {
  const ranges = times ?? []
  const zoneName = zone ?? ''
  if (!Array.isArray(ranges) || typeof zoneName !== 'string') return null
  const known = ConnectTimes.of(ranges.map(objectOf), zoneName)
  if (known === null) return null
  return ranges.length === 0 ? Number.POSITIVE_INFINITY : known.endAfter(nowMs)
}

/** @param untilMs when the times of the user end */
function earliest(user: Claims, account: Claims, untilMs: number): Expiry | null {
  const userMs = Math.min(user.expiresAtMs ?? Number.POSITIVE_INFINITY, untilMs)
  const accountMs = account.expiresAtMs ?? Number.POSITIVE_INFINITY
  const atMs = Math.min(userMs, accountMs)
  if (atMs === Number.POSITIVE_INFINITY) return null
  return { atMs, text: userMs <= accountMs ? ErrorText.USER_EXPIRED : ErrorText.ACCOUNT_EXPIRED }
}

/** -1 is no limit; so is what is no number. */
function lowerLimit(one: unknown, other: unknown): number {
  const limits = [one, other].filter((limit) => typeof limit === 'number').filter((n) => n >= 0)
  return limits.length === 0 ? -1 : Math.min(...limits)
}
