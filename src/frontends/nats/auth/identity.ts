import type { ErrorText } from '../../../wire/nats/error-text.ts'
import type { Account } from '../account.ts'
import type { SubjectPermissions } from './subject-permissions.ts'

/** When somebody is nobody any more, and what is said then. */
export interface Expiry {
  readonly atMs: number
  readonly text: typeof ErrorText.USER_EXPIRED | typeof ErrorText.ACCOUNT_EXPIRED
}

/** Who a client is. */
export interface Identity {
  /** The name or the public nkey; empty for those who say nothing. */
  readonly user: string
  /** A name for people, if there is another one. */
  readonly userTag: string
  readonly account: Account
  /** null: everything is allowed. */
  readonly permissions: SubjectPermissions | null
  readonly expiry: Expiry | null
  /** -1: no limit of its own. */
  readonly maxSubscriptions: number
  readonly maxPayloadBytes: number
  /** Connections of the account at one time; -1: any number. */
  readonly maxAccountConnections: number
}

/** Somebody who may do everything in an account. */
export function anybodyIn(account: Account): Identity {
  return {
    ...{ user: '', userTag: '', account, permissions: null, expiry: null },
    ...{ maxSubscriptions: -1, maxPayloadBytes: -1, maxAccountConnections: -1 },
  }
}
