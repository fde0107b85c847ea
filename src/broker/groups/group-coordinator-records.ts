import {
  encodeCoordinatorKey,
  encodeCoordinatorValue,
} from '../../records/internal/coordinator-record.ts'
import { groupMetadata, offsetCommit } from '../../records/internal/group-records.ts'
import type { EncodedRecord } from '../coordinator/coordinator-log.ts'
import type { ClassicGroup } from './classic/classic-group.ts'
import { metadataOf } from './classic/classic-group-member.ts'
import type { CommittedOffset } from './offset-requests.ts'

/** What Kafka 4.4 writes. */
const GROUP_METADATA_VERSION = 3
const OFFSET_COMMIT_VERSION = 4
/** The only version that carries an expire timestamp. */
const EXPIRING_OFFSET_COMMIT_VERSION = 1

/** A classic group as it is now: its generation, its members and their assignments. */
export function groupMetadataRecord(group: ClassicGroup): EncodedRecord {
  return {
    key: encodeCoordinatorKey(groupMetadata, { group: group.groupId }),
    value: encodeCoordinatorValue(groupMetadata, GROUP_METADATA_VERSION, {
      protocolType: group.protocolType ?? '',
      generation: group.generationId,
      protocol: group.protocolName,
      leader: group.leaderId,
      currentStateTimestamp: group.stateTimestampMs,
      members: [...group.members.values()].map((member) => ({
        memberId: member.memberId,
        groupInstanceId: member.groupInstanceId,
        clientId: member.clientId,
        clientHost: member.clientHost,
        rebalanceTimeout: member.rebalanceTimeoutMs,
        sessionTimeout: member.sessionTimeoutMs,
        subscription: metadataOf(member, group.protocolName),
        assignment: member.assignment,
      })),
    }),
  }
}

export function groupTombstone(groupId: string): EncodedRecord {
  return { key: encodeCoordinatorKey(groupMetadata, { group: groupId }), value: null }
}

export function offsetCommitRecord(
  group: string,
  topic: string,
  partition: number,
  committed: CommittedOffset,
): EncodedRecord {
  const fields = {
    offset: committed.offset,
    metadata: committed.metadata,
    commitTimestamp: committed.commitTimestampMs,
  }
  const { expireTimestampMs: expireTimestamp, leaderEpoch, topicId } = committed
  return {
    key: encodeCoordinatorKey(offsetCommit, { group, topic, partition }),
    value:
      expireTimestamp === -1
        ? encodeCoordinatorValue(offsetCommit, OFFSET_COMMIT_VERSION, {
            ...fields,
            leaderEpoch,
            topicId,
          })
        : encodeCoordinatorValue(offsetCommit, EXPIRING_OFFSET_COMMIT_VERSION, {
            ...fields,
            expireTimestamp,
          }),
  }
}

export function offsetTombstone(group: string, topic: string, partition: number): EncodedRecord {
  return { key: encodeCoordinatorKey(offsetCommit, { group, topic, partition }), value: null }
}
