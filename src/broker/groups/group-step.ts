import type { MetadataImage } from '../../ports/metadata-store.ts'
import type { Turn } from '../coordinator/coordinator-turn.ts'
import type { GroupConfig } from './group-config.ts'

/** What timers of the group coordinator tell when they fire. */
export type GroupTimerEvent =
  | { readonly kind: 'sessionExpired'; readonly groupId: string; readonly memberId: string }
  | { readonly kind: 'joinExpired'; readonly groupId: string }
  | {
      readonly kind: 'initialDelayExpired'
      readonly groupId: string
      readonly delayMs: number
      readonly remainingMs: number
    }
  | { readonly kind: 'syncExpired'; readonly groupId: string; readonly generationId: number }
  | {
      readonly kind: 'rebalanceExpired'
      readonly groupId: string
      readonly memberId: string
      readonly memberEpoch: number
    }
  | { readonly kind: 'rejoinExpired'; readonly groupId: string; readonly memberId: string }
  | { readonly kind: 'memberSyncExpired'; readonly groupId: string; readonly memberId: string }
  | { readonly kind: 'streamsDelayExpired'; readonly groupId: string }
  | { readonly kind: 'retentionCheck' }

/** The topics as they are now. */
export type GroupTopics = Pick<MetadataImage, 'topics' | 'topicsById' | 'offset'>

export const NO_TOPICS: GroupTopics = { topics: new Map(), topicsById: new Map(), offset: -1 }

/** One step of the group coordinator: the turn, and settings and topics as they are now. */
export interface GroupStep {
  readonly turn: Turn<GroupTimerEvent>
  readonly config: GroupConfig
  readonly topics: GroupTopics
}

/** Length first: an id may hold any character, so no other id makes the same name. */
const memberTimer = (kind: string, groupId: string, memberId: string): string =>
  `${kind} ${groupId.length} ${groupId} ${memberId}`
export const sessionTimer = (groupId: string, memberId: string): string =>
  memberTimer('session', groupId, memberId)
/** Of a member that has to give up partitions. */
export const rebalanceTimer = (groupId: string, memberId: string): string =>
  memberTimer('rebalance', groupId, memberId)
/** Of classic members in a consumer group: until they join, and until they sync. */
export const rejoinTimer = (groupId: string, memberId: string): string =>
  memberTimer('rejoin', groupId, memberId)
export const memberSyncTimer = (groupId: string, memberId: string): string =>
  memberTimer('member-sync', groupId, memberId)
export const joinTimer = (groupId: string): string => `join ${groupId}`
export const syncTimer = (groupId: string): string => `sync ${groupId}`
export const RETENTION_TIMER = 'retention'
