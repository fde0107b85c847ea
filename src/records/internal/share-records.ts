/** Records of `__share_group_state`: a snapshot of a share partition, then updates (KIP-932). */
import { int8, int16, int32, int64, list, string, uuid } from '../../schema/schema.ts'
import {
  type CoordinatorRecord,
  coordinatorRecord,
  coordinatorRecordDecoder,
} from './coordinator-record.ts'

export const shareSnapshot = coordinatorRecord({
  type: 0,
  name: 'ShareSnapshot',
  versions: [0, 0],
  flexibleSince: 0,
  key: {
    groupId: string,
    topicId: uuid,
    partition: int32,
  },
  value: {
    snapshotEpoch: int32,
    stateEpoch: int32,
    leaderEpoch: int32,
    startOffset: int64,
    deliveryCompleteCount: int32.default(-1).tagged(0),
    createTimestamp: int64,
    writeTimestamp: int64,
    stateBatches: list({
      firstOffset: int64,
      lastOffset: int64,
      deliveryState: int8,
      deliveryCount: int16,
    }),
  },
})

export const shareUpdate = coordinatorRecord({
  type: 1,
  name: 'ShareUpdate',
  versions: [0, 0],
  flexibleSince: 0,
  key: {
    groupId: string,
    topicId: uuid,
    partition: int32,
  },
  value: {
    snapshotEpoch: int32,
    leaderEpoch: int32,
    startOffset: int64,
    deliveryCompleteCount: int32.default(-1).tagged(0),
    stateBatches: list({
      firstOffset: int64,
      lastOffset: int64,
      deliveryState: int8,
      deliveryCount: int16,
    }),
  },
})

export const shareRecordTypes = [shareSnapshot, shareUpdate] as const

export type ShareRecord = CoordinatorRecord<(typeof shareRecordTypes)[number]>

/** Decodes a record of `__share_group_state`; see `coordinatorRecordDecoder`. */
export const decodeShareRecord: (key: Buffer, value: Buffer | null) => ShareRecord | undefined =
  coordinatorRecordDecoder(shareRecordTypes)
