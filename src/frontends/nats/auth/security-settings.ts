import type { AccountLimits } from './account-limits.ts'

/** Subjects that are allowed, less those that are denied. Each may have a queue name behind a blank. */
export interface SubjectRules {
  /** null: all. */
  readonly allow: readonly string[] | null
  readonly deny: readonly string[]
}

/** Answers to requests that a client got, though it may not publish there otherwise. */
export interface ResponseRules {
  /** To one request; -1: any number. */
  readonly maxCount: number
  /** After the request; -1: for ever. */
  readonly ttlMs: number
}

export interface PermissionRules {
  readonly publish: SubjectRules
  readonly subscribe: SubjectRules
  readonly responses: ResponseRules | null
}

/** How a client came, as `allowed_connection_types` names it. */
export type ConnectionKind = 'STANDARD' | 'WEBSOCKET'

export interface UserSettings {
  /** A name, or the public nkey of a user without a password. */
  readonly user: string
  /** Plain or bcrypt; null: the user has an nkey. */
  readonly password: string | null
  readonly account: string
  /** null: everything is allowed. */
  readonly permissions: PermissionRules | null
  /** null: all. */
  readonly kinds: readonly string[] | null
}

export interface ExportSettings {
  readonly kind: 'stream' | 'service'
  readonly subject: string
  /** Accounts that may import it; null: all. */
  readonly accounts: readonly string[] | null
  /** A service that answers a request more than once. */
  readonly answersOften: boolean
  /** A service: importers see where a traced message goes behind it. */
  readonly allowsTrace?: boolean
}

export interface ImportSettings {
  readonly kind: 'stream' | 'service'
  /** The account that exports it, and the subject there. */
  readonly account: string
  readonly subject: string
  /** The subject in the account that imports it. */
  readonly localSubject: string
  /** A stream: the exporter sees where a traced message goes behind it. */
  readonly allowsTrace?: boolean
  /** When it holds; without one, always. */
  readonly validity?: { readonly fromMs: number; readonly untilMs: number | null }
}

export interface AccountSettings {
  readonly name: string
  readonly exports: readonly ExportSettings[]
  readonly imports: readonly ImportSettings[]
  /** -1: any number. */
  readonly maxConnections: number
  /** Of each client; -1: as many as the server allows. */
  readonly maxSubscriptions: number
  /** null: it has no streams. */
  readonly jetStream: AccountLimits | null
  /** Its limits are given, and shown, by number of replicas. */
  readonly hasTiers?: boolean
}

/** Trust in whoever an operator trusts: accounts and users come with signed claims. */
export interface OperatorSettings {
  /** Public nkeys of operators and their signing keys. */
  readonly trustedKeys: readonly string[]
  /** Signed claims of accounts by the public nkey of each. */
  readonly accountClaims: ReadonlyMap<string, string>
}

export interface SecuritySettings {
  readonly users: readonly UserSettings[]
  /** Plain or bcrypt; null: there is none. */
  readonly token: string | null
  readonly accounts: readonly AccountSettings[]
  readonly systemAccount: string
  /** Who those are that say nothing about themselves; null: nobody. */
  readonly noAuthUser: string | null
  readonly operator: OperatorSettings | null
  /** How long a client may take to say who it is. */
  readonly timeoutMs: number
}

/** Source: DEFAULT_SYSTEM_ACCOUNT of nats-server. */
export const SYSTEM_ACCOUNT = '$SYS'

/** Source: AUTH_TIMEOUT of nats-server. */
const TIMEOUT_MS = 2000

/** Nobody has to say who it is. */
export const OPEN: SecuritySettings = {
  users: [],
  token: null,
  accounts: [],
  systemAccount: SYSTEM_ACCOUNT,
  noAuthUser: null,
  operator: null,
  timeoutMs: TIMEOUT_MS,
}
