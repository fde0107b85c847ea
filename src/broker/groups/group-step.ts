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
  | { readonly kind: 'retentionCheck' }

/** One step of the group coordinator: the turn, and the settings as they are now. */
export interface GroupStep {
  readonly turn: Turn<GroupTimerEvent>
  readonly config: GroupConfig
}

/** Length first: an id may hold any character, so no other id makes the same name. */
export const sessionTimer = (groupId: string, memberId: string): string =>
  `session ${groupId.length} ${groupId} ${memberId}`
export const joinTimer = (groupId: string): string => `join ${groupId}`
export const syncTimer = (groupId: string): string => `sync ${groupId}`
export const RETENTION_TIMER = 'retention'
