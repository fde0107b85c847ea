/**
 * Records of `__consumer_offsets` about committed offsets and classic groups.
 * Source: OffsetCommitKey and its like, kafka-group-coordinator 4.4.
 */
import { array, bytes, int32, int64, string, struct, uuid } from '../../schema/schema.ts'
import { coordinatorRecord } from './coordinator-record.ts'

const memberMetadata = struct({
  memberId: string,
  groupInstanceId: string.since(3).orNull().ignorable(),
  clientId: string,
  clientHost: string,
  rebalanceTimeout: int32.since(1).default(-1).ignorable(),
  sessionTimeout: int32,
  subscription: bytes,
  assignment: bytes,
})

/** Written by Kafka before 0.9 only. */
export const legacyOffsetCommit = coordinatorRecord({
  type: 0,
  name: 'LegacyOffsetCommit',
  versions: [0, 0],
  key: {
    group: string,
    topic: string,
    partition: int32,
  },
  value: {
    offset: int64,
    metadata: string,
    commitTimestamp: int64,
  },
})

/** Kafka 4.4 writes version 1 with an expire timestamp and 4 without. */
export const offsetCommit = coordinatorRecord({
  type: 1,
  name: 'OffsetCommit',
  versions: [0, 4],
  flexibleSince: 4,
  key: {
    group: string,
    topic: string,
    partition: int32,
  },
  value: {
    offset: int64,
    leaderEpoch: int32.since(3).default(-1).ignorable(),
    metadata: string,
    commitTimestamp: int64,
    expireTimestamp: int64.since(1).until(1).default(-1).ignorable(),
    topicId: uuid.since(4).tagged(0).ignorable(),
  },
})

/** A classic group. Kafka 4.4 writes version 3. */
export const groupMetadata = coordinatorRecord({
  type: 2,
  name: 'GroupMetadata',
  versions: [0, 4],
  flexibleSince: 4,
  key: {
    group: string,
  },
  value: {
    protocolType: string,
    generation: int32,
    protocol: string.nullable(),
    leader: string.nullable(),
    currentStateTimestamp: int64.since(2).default(-1).ignorable(),
    members: array(memberMetadata),
  },
})
