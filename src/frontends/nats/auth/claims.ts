import { isSignedBy } from './nkey.ts'
import type { PermissionRules, ResponseRules, SubjectRules } from './security-settings.ts'

/** Signed claims, after their signature was checked. Source: jwt/v2 of nats-io. */
export interface Claims {
  /** The nkey that signed. */
  readonly issuer: string
  /** The nkey that the claims are about. */
  readonly subject: string
  readonly name: string
  readonly issuedAtMs: number
  /** null: never. */
  readonly expiresAtMs: number | null
  readonly notBeforeMs: number | null
  /** What is said about it. */
  readonly body: Readonly<Record<string, unknown>>
}

/** What claims say of somebody. */
export type Rules = Readonly<Record<string, unknown>>

/** Keys that may sign, and the rules each of them forces on users, if it does. */
export type Signers = ReadonlyMap<string, Rules | null>

/** Of all keys, in revocations. */
const EVERYBODY = '*'

/** More is not looked at: it comes before anybody logged in. */
const MAX_BYTES = 64 * 1024

const ALGORITHMS: ReadonlySet<unknown> = new Set(['ed25519-nkey', 'ed25519'])
const NANOSECONDS_PER_MS = 1e6

/**
 * Reads claims and checks that who issued them signed them.
 * @param issuerKind who may have issued them
 * @returns null for anything else
 */
export function readClaims(token: string, issuerKind: 'operator' | 'account'): Claims | null {
  const parts = token.split('.')
  if (token.length > MAX_BYTES || parts.length !== 3) return null
  const [head = '', body = '', signature = ''] = parts
  const header = jsonOf(head)
  const content = jsonOf(body)
  if (header === null || content === null || !ALGORITHMS.has(header['alg'])) return null
  const { iss: issuer, sub: subject } = content
  if (typeof issuer !== 'string' || typeof subject !== 'string') return null
  // Since version 2 the header is signed too.
  const isNew = header['alg'] === 'ed25519-nkey'
  const signed = Buffer.from(isNew ? `${head}.${body}` : body, 'latin1')
  if (!isSignedBy(issuer, issuerKind, signed, Buffer.from(signature, 'base64url'))) return null
  return {
    issuer,
    subject,
    name: typeof content['name'] === 'string' ? content['name'] : '',
    issuedAtMs: millisecondsOf(content['iat']) ?? 0,
    expiresAtMs: millisecondsOf(content['exp']),
    notBeforeMs: millisecondsOf(content['nbf']),
    body: objectOf(content['nats']),
  }
}

/** The permissions in the claims of a user, or null when all is allowed. */
export function permissionsOf(body: Readonly<Record<string, unknown>>): PermissionRules | null {
  const publish = rulesOf(objectOf(body['pub']))
  const subscribe = rulesOf(objectOf(body['sub']))
  const responses = responsesOf(body['resp'])
  const isOpen = [publish, subscribe].every(
    ({ allow, deny }) => allow === null && deny.length === 0,
  )
  if (isOpen && responses === null) return null
  if (responses === null || publish.allow !== null) return { publish, subscribe, responses }
  return { publish: { ...publish, allow: [] }, subscribe, responses }
}

/** Who may sign for an account. */
export function signersOf({ subject, body }: Claims): Signers {
  const signers = new Map<string, Rules | null>([[subject, null]])
  const { signing_keys: keys } = body
  if (!Array.isArray(keys)) return signers
  for (const key of keys) {
    if (typeof key === 'string') signers.set(key, null)
    const scope = objectOf(key)
    if (typeof scope['key'] === 'string') signers.set(scope['key'], objectOf(scope['template']))
  }
  return signers
}

/**
 * Whether claims are void since then.
 * @param revocations seconds by whom claims are about
 * Source: isRevoked of nats-server.
 */
export function isRevoked({ subject, issuedAtMs }: Claims, revocations: Rules): boolean {
  return [subject, EVERYBODY].some((key) => {
    const atSeconds = revocations[key]
    return typeof atSeconds === 'number' && issuedAtMs <= atSeconds * 1000
  })
}

export function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  return isObject ? (value as Record<string, unknown>) : {}
}

export function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((text) => typeof text === 'string') : []
}

function rulesOf(rules: Readonly<Record<string, unknown>>): SubjectRules {
  const allow = textsOf(rules['allow'])
  return { allow: allow.length === 0 ? null : allow, deny: textsOf(rules['deny']) }
}

function responsesOf(value: unknown): ResponseRules | null {
  if (typeof value !== 'object' || value === null) return null
  const { max, ttl } = objectOf(value)
  return {
    maxCount: typeof max === 'number' ? max : 1,
    ttlMs: typeof ttl === 'number' ? ttl / NANOSECONDS_PER_MS : -1,
  }
}

function millisecondsOf(seconds: unknown): number | null {
  return typeof seconds === 'number' && seconds > 0 ? seconds * 1000 : null
}

function jsonOf(part: string): Readonly<Record<string, unknown>> | null {
  try {
    return objectOf(JSON.parse(Buffer.from(part, 'base64url').toString('utf8')))
  } catch {
    // Not JSON, so no claims.
    return null
  }
}
