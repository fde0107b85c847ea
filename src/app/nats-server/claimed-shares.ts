import { isSubset } from '../../broker/subjects/subject-subset.ts'
import { type Claims, objectOf, readClaims } from '../../frontends/nats/auth/claims.ts'
import type { ImportSettings } from '../../frontends/nats/auth/security-settings.ts'

type Fields = Readonly<Record<string, unknown>>
type Kind = ImportSettings['kind']

/** What an account lets others import, by its claims. Source: Export of jwt/v2. */
export interface ClaimedExport {
  readonly kind: Kind
  readonly subject: string
  /** Who imports it needs claims that the account signed. */
  readonly isPrivate: boolean
  /** The token of the subject, from 1, that has to be the account that imports it; 0: none. */
  readonly tokenPosition: number
  /** Seconds by account: what was signed before is void. */
  readonly revocations: Fields
  readonly answersOften: boolean
  readonly allowsTrace: boolean
}

/** Source: Import of jwt/v2. */
export interface ClaimedImport extends ImportSettings {
  /** What the account that exports it signed, if it did. */
  readonly activation: Claims | null
}

export interface ClaimedShares {
  readonly exports: readonly ClaimedExport[]
  readonly imports: readonly ClaimedImport[]
}

const RESPONSES: ReadonlySet<unknown> = new Set(['', 'Singleton', 'Stream', 'Chunked'])

/**
 * Reads what an account shares.
 * @returns null where the claims break a rule: nobody is let into such an account
 * Source: Account.Validate of jwt/v2.
 */
export function readShares({ subject: name, body }: Claims): ClaimedShares | null {
  const exports = whole(listOf(body['exports'])?.map(readExport))
  const imports = whole(listOf(body['imports'])?.map((fields) => readImport(fields, name)))
  if (exports === null || imports === null) return null
  const limits = objectOf(body['limits'])
  const hasRoom =
    isWithin(exports.length, limits['exports']) && isWithin(imports.length, limits['imports'])
  const isOpen = limits['exports'] === -1 || limits['wildcards'] === true
  if (!hasRoom || !(isOpen || exports.every(({ subject }) => !hasWildcard(subject)))) return null
  const namesOf = (kind: Kind): string[] =>
    exports.filter((one) => one.kind === kind).map(({ subject }) => subject)
  if (isOverlapping(namesOf('stream')) || isOverlapping(namesOf('service'))) return null
  return { exports, imports }
}

function readExport(fields: Fields): ClaimedExport | null {
  const kind = kindOf(fields['type'])
  const { response_type: response = '', account_token_position: position = 0 } = fields
  const subject = subjectOf(fields['subject'])
  const allowsTrace = fields['allow_trace'] === true
  if (kind === null || subject === null || typeof position !== 'number') return null
  if (kind === 'stream' ? response !== '' || allowsTrace : !RESPONSES.has(response)) return null
  if (position !== 0 && subject.split('.')[position - 1] !== '*') return null
  return {
    ...{ kind, subject, allowsTrace },
    isPrivate: fields['token_req'] === true,
    tokenPosition: position,
    revocations: objectOf(fields['revocations']),
    answersOften: response === 'Stream' || response === 'Chunked',
  }
}

function readImport(fields: Fields, importer: string): ClaimedImport | null {
  const kind = kindOf(fields['type'])
  const given = subjectOf(fields['subject'])
  const { account, to = '', local_subject: local = '', token = '' } = fields
  if (kind === null || given === null || typeof account !== 'string' || account === '') return null
  if (typeof to !== 'string' || typeof token !== 'string') return null
  if (local !== '' && (subjectOf(local) === null || to !== '')) return null
  const allowsTrace = fields['allow_trace'] === true
  if (kind === 'stream' ? fields['share'] === true : allowsTrace) return null
  const subjects = subjectsOf(kind, given, to, typeof local === 'string' ? local : '')
  const activation = token === '' ? null : readClaims(token, 'account')
  if (token !== '') {
    const wanted = kind === 'service' && to !== '' ? to : given
    if (activation === null || !isFor(activation, { kind, account, wanted, importer })) return null
  }
  return { kind, account, ...subjects, activation, ...(allowsTrace && { allowsTrace }) }
}

/** Source: updateAccountClaims and AddStreamImportWithClaim of nats-server. */
function subjectsOf(
  kind: Kind,
  subject: string,
  to: string,
  local: string,
): { subject: string; localSubject: string } {
  if (local !== '') return { subject, localSubject: local }
  if (to === '') return { subject, localSubject: subject }
  if (kind === 'service') return { subject: to, localSubject: subject }
  return { subject, localSubject: `${to.replace(/\.$/, '')}.${subject}` }
}

/** Whether signed claims are about an import. Source: Import.Validate of jwt/v2. */
function isFor(
  { issuer, subject, body }: Claims,
  wanted: {
    readonly kind: Kind
    readonly account: string
    readonly wanted: string
    readonly importer: string
  },
): boolean {
  const allowed = subjectOf(body['subject'])
  const isOfAccount = issuer === wanted.account || body['issuer_account'] === wanted.account
  if (!isOfAccount || subject !== wanted.importer || allowed === null) return false
  return body['kind'] === wanted.kind && isSubset(wanted.wanted, allowed)
}

function whole<T>(items: readonly (T | null)[] | undefined): readonly T[] | null {
  const found = items?.filter((item) => item !== null)
  return found !== undefined && found.length === items?.length ? found : null
}

function listOf(value: unknown): Fields[] | undefined {
  const list = value ?? []
  return Array.isArray(list) ? list.map(objectOf) : undefined
}

function kindOf(value: unknown): Kind | null {
  return value === 'stream' || value === 'service' ? value : null
}

/** Source: Subject.Validate of jwt/v2. */
function subjectOf(value: unknown): string | null {
  if (typeof value !== 'string' || value.includes(' ')) return null
  return value.split('.').includes('') ? null : value
}

function hasWildcard(subject: string): boolean {
  return subject.split('.').some((token) => token === '*' || token === '>')
}

/** Where nothing is said of a limit, there may be none. */
function isWithin(count: number, limit: unknown): boolean {
  return limit === -1 || count <= (typeof limit === 'number' ? limit : 0)
}

function isOverlapping(subjects: readonly string[]): boolean {
  return subjects.some((one, at) =>
    subjects.some((other, otherAt) => at !== otherAt && isSubset(one, other)),
  )
}
