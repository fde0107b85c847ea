/** All records of `__consumer_offsets`, whichever kind of group they are about. */

import {
  consumerGroupCurrentMemberAssignment,
  consumerGroupMemberMetadata,
  consumerGroupMetadata,
  consumerGroupPartitionMetadata,
  consumerGroupRegularExpression,
  consumerGroupTargetAssignmentMember,
  consumerGroupTargetAssignmentMetadata,
} from './consumer-group-records.ts'
import { type CoordinatorRecord, coordinatorRecordDecoder } from './coordinator-record.ts'
import { groupMetadata, legacyOffsetCommit, offsetCommit } from './group-records.ts'
import {
  shareGroupCurrentMemberAssignment,
  shareGroupMemberMetadata,
  shareGroupMetadata,
  shareGroupStatePartitionMetadata,
  shareGroupTargetAssignmentMember,
  shareGroupTargetAssignmentMetadata,
} from './share-group-records.ts'
import {
  streamsGroupCurrentMemberAssignment,
  streamsGroupMemberMetadata,
  streamsGroupMetadata,
  streamsGroupTargetAssignmentMember,
  streamsGroupTargetAssignmentMetadata,
  streamsGroupTopology,
} from './streams-group-records.ts'

export const offsetsRecordTypes = [
  legacyOffsetCommit,
  offsetCommit,
  groupMetadata,
  consumerGroupMetadata,
  consumerGroupPartitionMetadata,
  consumerGroupMemberMetadata,
  consumerGroupTargetAssignmentMetadata,
  consumerGroupTargetAssignmentMember,
  consumerGroupCurrentMemberAssignment,
  consumerGroupRegularExpression,
  shareGroupMemberMetadata,
  shareGroupMetadata,
  shareGroupTargetAssignmentMetadata,
  shareGroupTargetAssignmentMember,
  shareGroupCurrentMemberAssignment,
  shareGroupStatePartitionMetadata,
  streamsGroupMetadata,
  streamsGroupMemberMetadata,
  streamsGroupTargetAssignmentMetadata,
  streamsGroupTargetAssignmentMember,
  streamsGroupCurrentMemberAssignment,
  streamsGroupTopology,
] as const

export type OffsetsRecord = CoordinatorRecord<(typeof offsetsRecordTypes)[number]>

/** Decodes a record of `__consumer_offsets`; see `coordinatorRecordDecoder`. */
export const decodeOffsetsRecord: (key: Buffer, value: Buffer | null) => OffsetsRecord | undefined =
  coordinatorRecordDecoder(offsetsRecordTypes)
