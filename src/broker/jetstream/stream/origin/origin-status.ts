import type { StreamSource } from '../stream-config.ts'
import type { StoredMessage } from '../stream-reader.ts'
import type { StreamRefusal } from '../stream-refusal.ts'

/** How a stream stands with one it copies from. */
export interface OriginStatus {
  readonly source: StreamSource
  /** Messages of the origin that are not copied yet. */
  readonly lag: number
  /** Since the origin was heard last; -1: it never was. */
  readonly activeNanoseconds: number
  /** null: the origin is there. */
  readonly error: StreamRefusal | null
}

/** Copies messages elsewhere, before which they must not go. */
export interface MessageFollower {
  needs(sequence: number, subject: string): boolean
}

/** A message with the subject that its copy gets. */
export interface CopiedMessage extends StoredMessage {
  readonly originSubject: string
}
