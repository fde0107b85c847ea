import type { PartitionAssignor } from './partition-assignor.ts'
import { assignRange } from './range-assignor.ts'
import { assignUniformly } from './uniform-assignor.ts'

/** The assignors of Kafka, by the names that `group.consumer.assignors` and members use. */
export const PARTITION_ASSIGNORS: ReadonlyMap<string, PartitionAssignor> = new Map([
  ['uniform', assignUniformly],
  ['range', assignRange],
])
