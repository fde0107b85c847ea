import { isSubset } from '../../broker/subjects/subject-subset.ts'
import { type AccountLimits, TIER } from '../../frontends/nats/auth/account-limits.ts'
import {
  type Claims,
  isRevoked,
  objectOf,
  readClaims,
  signersOf,
} from '../../frontends/nats/auth/claims.ts'
import type {
  AccountSettings,
  ExportSettings,
  ImportSettings,
  OperatorSettings,
} from '../../frontends/nats/auth/security-settings.ts'
import {
  type ClaimedExport,
  type ClaimedImport,
  type ClaimedShares,
  readShares,
} from './claimed-shares.ts'

type Fields = Readonly<Record<string, unknown>>

interface ClaimedAccount {
  readonly claims: Claims
  readonly shares: ClaimedShares
}

/** The accounts that an operator signed, with what their claims give them of JetStream and of each other. */
export function claimedAccounts(operator: OperatorSettings): AccountSettings[] {
  const claimed = new Map<string, ClaimedAccount>()
  for (const [name, token] of operator.accountClaims) {
    const claims = readClaims(token, 'operator')
    if (claims?.subject !== name || !operator.trustedKeys.includes(claims.issuer)) continue
    const shares = readShares(claims)
    if (shares !== null) claimed.set(name, { claims, shares })
  }
  const approved = approvals(claimed)
  return [...claimed].map(([name, { claims, shares }]) => {
    const limits = objectOf(claims.body['limits'])
    const tiers = objectOf(limits['tiered_limits'])
    const hasTiers = Object.keys(tiers).length > 0
    const jetStream = limitsOf(hasTiers ? objectOf(tiers[TIER]) : limits)
    const exports = shares.exports.map((one) => exportOf(one, approved))
    const imports = approved.filter(({ importer }) => importer === name).map(importOf)
    return { name, exports, imports, maxConnections: -1, maxSubscriptions: -1, jetStream, hasTiers }
  })
}

/** An import that an export allows. */
interface Approval {
  readonly importer: string
  readonly wanted: ClaimedImport
  readonly from: ClaimedExport
}

/** The others are passed over, as in nats-server. */
function approvals(claimed: ReadonlyMap<string, ClaimedAccount>): Approval[] {
  const approved: Approval[] = []
  for (const [importer, { shares }] of claimed) {
    for (const wanted of shares.imports) {
      const exporter = claimed.get(wanted.account)
      const from = exporter?.shares.exports.find(
        ({ kind, subject }) => kind === wanted.kind && isSubset(wanted.subject, subject),
      )
      if (exporter === undefined || from === undefined) continue
      if (isApproved(importer, wanted, from, exporter.claims)) {
        approved.push({ importer, wanted, from })
      }
    }
  }
  return approved
}

/** Source: checkAuth and checkActivation of nats-server. */
function isApproved(
  importer: string,
  { subject, activation }: ClaimedImport,
  { isPrivate, tokenPosition, revocations }: ClaimedExport,
  exporter: Claims,
): boolean {
  if (tokenPosition > 0) return subject.split('.')[tokenPosition - 1] === importer
  if (!isPrivate) return true
  if (activation === null || isRevoked(activation, revocations)) return false
  const issuerAccount = activation.body['issuer_account'] ?? ''
  if (issuerAccount === '') return true
  return issuerAccount === exporter.subject && signersOf(exporter).has(activation.issuer)
}

function exportOf(given: ClaimedExport, approved: readonly Approval[]): ExportSettings {
  const { kind, subject, answersOften, allowsTrace, isPrivate, tokenPosition } = given
  const its = approved.filter(({ from }) => from === given).map(({ importer }) => importer)
  const accounts = isPrivate || tokenPosition > 0 ? its : null
  return { kind, subject, answersOften, allowsTrace, accounts }
}

function importOf({ wanted, from }: Approval): ImportSettings {
  const { activation, ...settings } = wanted
  if (activation === null || !from.isPrivate) return settings
  const { notBeforeMs, expiresAtMs } = activation
  return { ...settings, validity: { fromMs: notBeforeMs ?? 0, untilMs: expiresAtMs } }
}

/** Source: AccountLimits and JetStreamLimits of jwt/v2, and updateAccountClaims of nats-server. */
function limitsOf(fields: Fields): AccountLimits | null {
  const number = (name: string): number => {
    const value = fields[name]
    return typeof value === 'number' ? value : 0
  }
  const positive = (name: string): number => number(name) || -1
  if (number('mem_storage') === 0 && number('disk_storage') === 0) return null
  return {
    max_memory: number('mem_storage'),
    max_storage: number('disk_storage'),
    max_streams: positive('streams'),
    max_consumers: positive('consumer'),
    max_ack_pending: positive('max_ack_pending'),
    memory_max_stream_bytes: positive('mem_max_stream_bytes'),
    storage_max_stream_bytes: positive('disk_max_stream_bytes'),
    max_bytes_required: fields['max_bytes_required'] === true,
  }
}
