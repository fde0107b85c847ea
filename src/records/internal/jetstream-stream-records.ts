/** Records of `__jetstream` about streams: what each is configured to do, and what was removed. */
import { bytes, int32, int64, string, uuid } from '../../schema/schema.ts'
import { type CoordinatorRecord, coordinatorRecord } from './coordinator-record.ts'

export const jetstreamStream = coordinatorRecord({
  type: 0,
  name: 'JetStreamStream',
  versions: [0, 0],
  flexibleSince: 0,
  key: {
    stream: string,
  },
  value: {
    createTimestamp: int64,
    topic: string,
    topicId: uuid,
    /** The sequence of offset 0. */
    baseSequence: int64,
    /** JSON, as clients write it. */
    config: bytes,
    /** JSON: all subjects that the stream ever had. */
    everySubject: bytes,
  },
})

/** All messages below a sequence are gone. */
export const jetstreamRemovalFloor = coordinatorRecord({
  type: 1,
  name: 'JetStreamRemovalFloor',
  versions: [0, 0],
  flexibleSince: 0,
  key: {
    topicId: uuid,
  },
  value: {
    sequence: int64,
  },
})

/** Messages of one block that are gone, above the floor. */
export const jetstreamRemovedBlock = coordinatorRecord({
  type: 2,
  name: 'JetStreamRemovedBlock',
  versions: [0, 0],
  flexibleSince: 0,
  key: {
    topicId: uuid,
    /** Its first sequence divided by 8192. */
    block: int32,
  },
  value: {
    /** Bit `sequence % 8192`, the lowest bit of a byte first. */
    removed: bytes,
  },
})

/** How far a stream had come with its sources when the front of its log was given up. */
export const jetstreamSourcePositions = coordinatorRecord({
  type: 3,
  name: 'JetStreamSourcePositions',
  versions: [0, 0],
  flexibleSince: 0,
  key: {
    topicId: uuid,
  },
  value: {
    /** JSON: name and filters of each source, sequence, which origin of that name it was. */
    positions: bytes,
  },
})

export const jetstreamStreamRecordTypes = [
  jetstreamStream,
  jetstreamRemovalFloor,
  jetstreamRemovedBlock,
  jetstreamSourcePositions,
] as const

export type JetStreamStreamRecord = CoordinatorRecord<(typeof jetstreamStreamRecordTypes)[number]>
