import {
  consumerGroupCurrentMemberAssignment,
  consumerGroupMemberMetadata,
  consumerGroupMetadata,
  consumerGroupPartitionMetadata,
  consumerGroupRegularExpression,
  consumerGroupTargetAssignmentMember,
  consumerGroupTargetAssignmentMetadata,
} from '../../../records/internal/consumer-group-records.ts'
import {
  encodeCoordinatorKey,
  encodeCoordinatorValue,
} from '../../../records/internal/coordinator-record.ts'
import type { EncodedRecord } from '../../coordinator/coordinator-log.ts'
import type { Assignment } from '../assignors/assignment.ts'
import type { ResolvedRegex } from './consumer-group.ts'
import type { ConsumerGroupMember } from './consumer-group-member.ts'
import type { PartitionEpochs } from './partition-epochs.ts'

/** The only version there is. */
const VERSION = 0

export function memberMetadataRecord(groupId: string, member: ConsumerGroupMember): EncodedRecord {
  const { memberId, classic } = member
  return {
    key: encodeCoordinatorKey(consumerGroupMemberMetadata, { groupId, memberId }),
    value: encodeCoordinatorValue(consumerGroupMemberMetadata, VERSION, {
      instanceId: member.instanceId,
      rackId: member.rackId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      subscribedTopicNames: [...member.subscribedTopicNames],
      subscribedTopicRegex: member.subscribedTopicRegex,
      rebalanceTimeoutMs: member.rebalanceTimeoutMs,
      serverAssignor: member.serverAssignor,
      classicMemberMetadata:
        classic === null
          ? null
          : {
              sessionTimeoutMs: classic.sessionTimeoutMs,
              supportedProtocols: [...classic.supportedProtocols],
            },
    }),
  }
}

export function memberMetadataTombstone(groupId: string, memberId: string): EncodedRecord {
  const key = encodeCoordinatorKey(consumerGroupMemberMetadata, { groupId, memberId })
  return { key, value: null }
}

export function groupEpochRecord(
  groupId: string,
  epoch: number,
  metadataHash: bigint,
): EncodedRecord {
  return {
    key: encodeCoordinatorKey(consumerGroupMetadata, { groupId }),
    value: encodeCoordinatorValue(consumerGroupMetadata, VERSION, { epoch, metadataHash }),
  }
}

export function groupEpochTombstone(groupId: string): EncodedRecord {
  return { key: encodeCoordinatorKey(consumerGroupMetadata, { groupId }), value: null }
}

/** Of a record that only older versions of Kafka wrote. */
export function partitionMetadataTombstone(groupId: string): EncodedRecord {
  return { key: encodeCoordinatorKey(consumerGroupPartitionMetadata, { groupId }), value: null }
}

export function targetRecord(
  groupId: string,
  memberId: string,
  assignment: Assignment,
): EncodedRecord {
  return {
    key: encodeCoordinatorKey(consumerGroupTargetAssignmentMember, { groupId, memberId }),
    value: encodeCoordinatorValue(consumerGroupTargetAssignmentMember, VERSION, {
      topicPartitions: [...assignment].map(([topicId, partitions]) => ({
        topicId,
        partitions: [...partitions],
      })),
    }),
  }
}

export function targetTombstone(groupId: string, memberId: string): EncodedRecord {
  const key = encodeCoordinatorKey(consumerGroupTargetAssignmentMember, { groupId, memberId })
  return { key, value: null }
}

export function targetMetadataRecord(
  groupId: string,
  assignmentEpoch: number,
  assignmentTimestamp: number,
): EncodedRecord {
  return {
    key: encodeCoordinatorKey(consumerGroupTargetAssignmentMetadata, { groupId }),
    value: encodeCoordinatorValue(consumerGroupTargetAssignmentMetadata, VERSION, {
      assignmentEpoch,
      assignmentTimestamp,
    }),
  }
}

export function targetMetadataTombstone(groupId: string): EncodedRecord {
  const key = encodeCoordinatorKey(consumerGroupTargetAssignmentMetadata, { groupId })
  return { key, value: null }
}

export function currentAssignmentRecord(
  groupId: string,
  member: ConsumerGroupMember,
): EncodedRecord {
  const { memberId, memberEpoch, previousMemberEpoch, state } = member
  return {
    key: encodeCoordinatorKey(consumerGroupCurrentMemberAssignment, { groupId, memberId }),
    value: encodeCoordinatorValue(consumerGroupCurrentMemberAssignment, VERSION, {
      memberEpoch,
      previousMemberEpoch,
      state,
      assignedPartitions: toRecord(member.assigned),
      partitionsPendingRevocation: toRecord(member.pendingRevocation),
    }),
  }
}

function toRecord(partitions: PartitionEpochs) {
  return [...partitions].map(([topicId, epochs]) => ({
    topicId,
    partitions: [...epochs.keys()],
    assignmentEpochs: [...epochs.values()],
  }))
}

export function currentAssignmentTombstone(groupId: string, memberId: string): EncodedRecord {
  const key = encodeCoordinatorKey(consumerGroupCurrentMemberAssignment, { groupId, memberId })
  return { key, value: null }
}

export function regexRecord(
  groupId: string,
  regularExpression: string,
  { topics, version, timestampMs }: ResolvedRegex,
): EncodedRecord {
  return {
    key: encodeCoordinatorKey(consumerGroupRegularExpression, { groupId, regularExpression }),
    value: encodeCoordinatorValue(consumerGroupRegularExpression, VERSION, {
      topics: [...topics].sort(),
      version,
      timestamp: timestampMs,
    }),
  }
}

export function regexTombstone(groupId: string, regularExpression: string): EncodedRecord {
  const key = encodeCoordinatorKey(consumerGroupRegularExpression, { groupId, regularExpression })
  return { key, value: null }
}
