import {
  encodeCoordinatorKey,
  encodeCoordinatorValue,
} from '../../../records/internal/coordinator-record.ts'
import {
  shareGroupCurrentMemberAssignment,
  shareGroupMemberMetadata,
  shareGroupMetadata,
  shareGroupStatePartitionMetadata,
  shareGroupTargetAssignmentMember,
  shareGroupTargetAssignmentMetadata,
} from '../../../records/internal/share-group-records.ts'
import type { EncodedRecord } from '../../coordinator/coordinator-log.ts'
import type { Assignment } from '../assignors/assignment.ts'
import { MemberState } from '../consumer/consumer-group-member.ts'
import type { SharePartitions, ShareTopic } from './share-group.ts'
import type { ShareGroupMember } from './share-group-member.ts'

/** The only version there is. */
const VERSION = 0

export function shareMemberRecord(groupId: string, member: ShareGroupMember): EncodedRecord {
  const { memberId, rackId, clientId, clientHost, subscribedTopicNames } = member
  return {
    key: encodeCoordinatorKey(shareGroupMemberMetadata, { groupId, memberId }),
    value: encodeCoordinatorValue(shareGroupMemberMetadata, VERSION, {
      rackId,
      clientId,
      clientHost,
      subscribedTopicNames: [...subscribedTopicNames],
    }),
  }
}

export function shareMemberTombstone(groupId: string, memberId: string): EncodedRecord {
  const key = encodeCoordinatorKey(shareGroupMemberMetadata, { groupId, memberId })
  return { key, value: null }
}

export function shareEpochRecord(
  groupId: string,
  epoch: number,
  metadataHash: bigint,
): EncodedRecord {
  return {
    key: encodeCoordinatorKey(shareGroupMetadata, { groupId }),
    value: encodeCoordinatorValue(shareGroupMetadata, VERSION, { epoch, metadataHash }),
  }
}

export function shareEpochTombstone(groupId: string): EncodedRecord {
  return { key: encodeCoordinatorKey(shareGroupMetadata, { groupId }), value: null }
}

export function shareTargetRecord(
  groupId: string,
  memberId: string,
  assignment: Assignment,
): EncodedRecord {
  return {
    key: encodeCoordinatorKey(shareGroupTargetAssignmentMember, { groupId, memberId }),
    value: encodeCoordinatorValue(shareGroupTargetAssignmentMember, VERSION, {
      topicPartitions: partitionFields(assignment),
    }),
  }
}

export function shareTargetTombstone(groupId: string, memberId: string): EncodedRecord {
  const key = encodeCoordinatorKey(shareGroupTargetAssignmentMember, { groupId, memberId })
  return { key, value: null }
}

export function shareTargetEpochRecord(
  groupId: string,
  assignmentEpoch: number,
  assignmentTimestamp: number,
): EncodedRecord {
  return {
    key: encodeCoordinatorKey(shareGroupTargetAssignmentMetadata, { groupId }),
    value: encodeCoordinatorValue(shareGroupTargetAssignmentMetadata, VERSION, {
      assignmentEpoch,
      assignmentTimestamp,
    }),
  }
}

export function shareTargetEpochTombstone(groupId: string): EncodedRecord {
  return { key: encodeCoordinatorKey(shareGroupTargetAssignmentMetadata, { groupId }), value: null }
}

export function shareAssignmentRecord(groupId: string, member: ShareGroupMember): EncodedRecord {
  const { memberId, memberEpoch, previousMemberEpoch, assigned } = member
  return {
    key: encodeCoordinatorKey(shareGroupCurrentMemberAssignment, { groupId, memberId }),
    value: encodeCoordinatorValue(shareGroupCurrentMemberAssignment, VERSION, {
      memberEpoch,
      previousMemberEpoch,
      state: MemberState.STABLE,
      assignedPartitions: partitionFields(assigned),
    }),
  }
}

export function shareAssignmentTombstone(groupId: string, memberId: string): EncodedRecord {
  const key = encodeCoordinatorKey(shareGroupCurrentMemberAssignment, { groupId, memberId })
  return { key, value: null }
}

export function sharePartitionsRecord(groupId: string, shares: SharePartitions): EncodedRecord {
  return {
    key: encodeCoordinatorKey(shareGroupStatePartitionMetadata, { groupId }),
    value: encodeCoordinatorValue(shareGroupStatePartitionMetadata, VERSION, {
      initializingTopics: topicFields(shares.initializing),
      initializedTopics: topicFields(shares.initialized),
      deletingTopics: [...shares.deleting].map(([topicId, topicName]) => ({ topicId, topicName })),
    }),
  }
}

export function sharePartitionsTombstone(groupId: string): EncodedRecord {
  return { key: encodeCoordinatorKey(shareGroupStatePartitionMetadata, { groupId }), value: null }
}

function partitionFields(assignment: Assignment) {
  return [...assignment].map(([topicId, partitions]) => ({ topicId, partitions: [...partitions] }))
}

function topicFields(topics: ReadonlyMap<string, ShareTopic>) {
  return [...topics].map(([topicId, { name, partitions }]) => ({
    topicId,
    topicName: name,
    partitions: [...partitions],
  }))
}
