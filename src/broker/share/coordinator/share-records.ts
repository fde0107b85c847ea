import {
  encodeCoordinatorKey,
  encodeCoordinatorValue,
} from '../../../records/internal/coordinator-record.ts'
import {
  type ShareRecord,
  shareSnapshot,
  shareUpdate,
} from '../../../records/internal/share-records.ts'
import type { EncodedRecord } from '../../coordinator/coordinator-log.ts'
import type { DeliveryState, StateBatch } from '../../delivery/delivery-state.ts'
import type { SharePartitionKey } from './share-partition-key.ts'
import type { ShareState } from './share-state.ts'
import { combineStateBatches } from './state-batches.ts'

/** The only version there is. */
const VERSION = 0

type Batches = NonNullable<ShareRecord['value']>['stateBatches']

/** All that is known of a share partition: what was written before it is not needed any more. */
export function snapshotRecord(key: SharePartitionKey, state: ShareState): EncodedRecord {
  return {
    key: encodeCoordinatorKey(shareSnapshot, keyFields(key)),
    value: encodeCoordinatorValue(shareSnapshot, VERSION, {
      snapshotEpoch: state.snapshotEpoch,
      stateEpoch: state.stateEpoch,
      leaderEpoch: state.leaderEpoch,
      startOffset: state.startOffset,
      deliveryCompleteCount: state.deliveryCompleteCount,
      createTimestamp: state.createTimestampMs,
      writeTimestamp: state.writeTimestampMs,
      stateBatches: batchFields(state.stateBatches),
    }),
  }
}

/** What changed since the last snapshot or update. */
export function updateRecord(key: SharePartitionKey, state: ShareState): EncodedRecord {
  return {
    key: encodeCoordinatorKey(shareUpdate, keyFields(key)),
    value: encodeCoordinatorValue(shareUpdate, VERSION, {
      snapshotEpoch: state.snapshotEpoch,
      leaderEpoch: state.leaderEpoch,
      startOffset: state.startOffset,
      deliveryCompleteCount: state.deliveryCompleteCount,
      stateBatches: batchFields(state.stateBatches),
    }),
  }
}

export function shareTombstone(key: SharePartitionKey): EncodedRecord {
  return { key: encodeCoordinatorKey(shareSnapshot, keyFields(key)), value: null }
}

export function stateOfSnapshot(
  value: NonNullable<Extract<ShareRecord, { name: 'ShareSnapshot' }>['value']>,
): ShareState {
  return {
    snapshotEpoch: value.snapshotEpoch,
    stateEpoch: value.stateEpoch,
    leaderEpoch: value.leaderEpoch,
    startOffset: value.startOffset,
    deliveryCompleteCount: value.deliveryCompleteCount,
    stateBatches: batchesOf(value.stateBatches),
    createTimestampMs: value.createTimestamp,
    writeTimestampMs: value.writeTimestamp,
  }
}

/** @param known undefined when compaction or pruning took the snapshot before it */
export function stateAfterUpdate(
  known: ShareState | undefined,
  value: NonNullable<Extract<ShareRecord, { name: 'ShareUpdate' }>['value']>,
): ShareState {
  const batches = batchesOf(value.stateBatches)
  const { deliveryCompleteCount } = value
  if (known === undefined) {
    return {
      snapshotEpoch: value.snapshotEpoch,
      stateEpoch: 0,
      leaderEpoch: value.leaderEpoch,
      startOffset: value.startOffset,
      deliveryCompleteCount,
      stateBatches: batches,
      createTimestampMs: 0,
      writeTimestampMs: 0,
    }
  }
  const startOffset = value.startOffset === -1 ? known.startOffset : value.startOffset
  const leaderEpoch = value.leaderEpoch === -1 ? known.leaderEpoch : value.leaderEpoch
  const stateBatches = combineStateBatches(known.stateBatches, batches, startOffset)
  return { ...known, startOffset, leaderEpoch, deliveryCompleteCount, stateBatches }
}

function keyFields({ groupId, topicId, partition }: SharePartitionKey) {
  return { groupId, topicId, partition }
}

function batchFields(batches: readonly StateBatch[]): Batches {
  return batches.map(({ firstOffset, lastOffset, state, deliveryCount }) => ({
    firstOffset,
    lastOffset,
    deliveryState: state,
    deliveryCount,
  }))
}

function batchesOf(batches: Batches): StateBatch[] {
  return batches.map(({ firstOffset, lastOffset, deliveryState, deliveryCount }) => ({
    firstOffset,
    lastOffset,
    state: deliveryState as DeliveryState,
    deliveryCount,
  }))
}
