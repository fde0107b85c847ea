import type { Ending } from './world/fault-plan.ts'

/** What a simulation does more of, to find a fault with few seeds. */
export interface Focus {
  /** Name of the one plan of misfortunes that there is. */
  readonly faults?: string
  /** How lives of the broker end. */
  readonly endings?: readonly Ending['kind'][]
  /** Topics come and go all the time. */
  readonly deletesTopics?: boolean
  /** There is a share group, and little else. */
  readonly sharesGroups?: boolean
  /** All topics are compacted, at once. */
  readonly compacts?: boolean
}
