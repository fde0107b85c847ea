import { type AccountLimits, TIER } from '../../frontends/nats/auth/account-limits.ts'
import { objectOf, readClaims } from '../../frontends/nats/auth/claims.ts'
import type {
  AccountSettings,
  OperatorSettings,
} from '../../frontends/nats/auth/security-settings.ts'

type Fields = Readonly<Record<string, unknown>>

/** The accounts that an operator signed, with what their claims give them of JetStream. */
export function claimedAccounts(operator: OperatorSettings): AccountSettings[] {
  const accounts: AccountSettings[] = []
  for (const [name, token] of operator.accountClaims) {
    const claims = readClaims(token, 'operator')
    if (claims?.subject !== name || !operator.trustedKeys.includes(claims.issuer)) continue
    const limits = objectOf(claims.body['limits'])
    const tiers = objectOf(limits['tiered_limits'])
    const hasTiers = Object.keys(tiers).length > 0
    const none = { exports: [], imports: [], maxConnections: -1, maxSubscriptions: -1 }
    const jetStream = limitsOf(hasTiers ? objectOf(tiers[TIER]) : limits)
    accounts.push({ name, ...none, jetStream, hasTiers })
  }
  return accounts
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
