import type { Partition } from '../topics/partition.ts'

/** Topics that the broker keeps its own state in. */
export const OFFSETS_TOPIC = '__consumer_offsets'
export const TRANSACTIONS_TOPIC = '__transaction_state'
export const SHARE_STATE_TOPIC = '__share_group_state'
export const JETSTREAM_TOPIC = '__jetstream'

/** What a coordinator needs of the topics of this broker. */
export interface InternalTopics {
  /** Starts to create the topic if it is missing; `ready` once its partitions can be used. */
  ensure(name: string): 'ready' | 'creating'
  /** Partitions of the topic as it is on disk; 0 while it does not exist. */
  partitionCount(name: string): number
  /** Partitions of the topic, or those it gets when it is created. */
  plannedPartitionCount(name: string): number
  /** undefined while it is not open. */
  partition(name: string, index: number): Partition | undefined
}

/**
 * Which partition of an internal topic owns a key. It must never change, since the state of the key
 * is there. Source: Utils.abs(key.hashCode()) % partitions of Kafka; String.hashCode of Java.
 */
export function partitionForKey(key: string, partitionCount: number): number {
  let hash = 0
  for (let at = 0; at < key.length; at++) hash = (Math.imul(hash, 31) + key.charCodeAt(at)) | 0
  // Not the sign bit cut off, as with the hashes that choose partitions of producers.
  return (hash === -0x8000_0000 ? 0 : Math.abs(hash)) % partitionCount
}
