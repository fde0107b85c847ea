/**
 * Records of control batches. A key is int16 version 0 and int16 type; the value depends on the
 * type and starts with an int16 version.
 * Source: ControlRecordType, EndTransactionMarker and ControlRecordUtils, kafka-clients 4.4
 * (KIP-98, KIP-595, KIP-853).
 */
import { ProtocolError } from '../../base/errors.ts'
import { decoderOf, encoderOf } from '../../schema/codec.ts'
import {
  array,
  type Decoded,
  type Encodable,
  int16,
  int32,
  int64,
  list,
  type Message,
  message,
  string,
  struct,
  uint16,
  uuid,
} from '../../schema/schema.ts'
import { checkVersion } from './coordinator-record.ts'
import { decodeWhole, encodeWhole } from './encoding.ts'

export const ControlRecordType = {
  ABORT: 0,
  COMMIT: 1,
  LEADER_CHANGE: 2,
  SNAPSHOT_HEADER: 3,
  SNAPSHOT_FOOTER: 4,
  KRAFT_VERSION: 5,
  KRAFT_VOTERS: 6,
} as const

const voter = struct({
  voterId: int32,
  voterDirectoryId: uuid.since(1),
})

/** The marker that ends a transaction in a partition. */
export const endTxnMarker = message({
  name: 'EndTxnMarker',
  versions: [0, 0],
  fields: {
    coordinatorEpoch: int32,
  },
})

/** First record of a leader's epoch. Kafka 4.4 writes version 0. */
export const leaderChangeMessage = message({
  name: 'LeaderChangeMessage',
  versions: [0, 1],
  flexibleSince: 0,
  fields: {
    version: int16,
    leaderId: int32,
    voters: array(voter),
    grantingVoters: array(voter),
  },
})

export const snapshotHeaderRecord = message({
  name: 'SnapshotHeaderRecord',
  versions: [0, 0],
  flexibleSince: 0,
  fields: {
    version: int16,
    lastContainedLogTimestamp: int64,
  },
})

export const snapshotFooterRecord = message({
  name: 'SnapshotFooterRecord',
  versions: [0, 0],
  flexibleSince: 0,
  fields: {
    version: int16,
  },
})

export const kraftVersionRecord = message({
  name: 'KRaftVersionRecord',
  versions: [0, 0],
  flexibleSince: 0,
  fields: {
    version: int16,
    kRaftVersion: int16,
  },
})

export const votersRecord = message({
  name: 'VotersRecord',
  versions: [0, 0],
  flexibleSince: 0,
  fields: {
    version: int16,
    voters: list({
      voterId: int32,
      voterDirectoryId: uuid,
      endpoints: list({
        name: string,
        host: string,
        port: uint16,
      }),
      kRaftVersionFeature: struct({
        minSupportedVersion: int16,
        maxSupportedVersion: int16,
      }),
    }),
  },
})

const KEY_BYTES = 4

export function encodeControlKey(type: number): Buffer {
  const key = Buffer.alloc(KEY_BYTES)
  key.writeInt16BE(type, 2)
  return key
}

/**
 * The type of a control record. Types and versions that are not known are no error: Kafka skips
 * such a record, and a newer key may be longer.
 * @throws ProtocolError when there is no key, or its version is negative
 */
export function decodeControlType(key: Buffer | null): number {
  if (key === null || key.byteLength < KEY_BYTES)
    throw new ProtocolError('control record key is shorter than 4 bytes')
  if (key.readInt16BE(0) < 0) throw new ProtocolError('control record key has no valid version')
  return key.readInt16BE(2)
}

/** The value of a COMMIT or ABORT record. */
export function encodeEndTxnMarker(coordinatorEpoch: number): Buffer {
  return encodeWhole((writer) => {
    writer.int16(0)
    encoderOf(endTxnMarker)(0)(writer, { coordinatorEpoch })
  })
}

/**
 * The coordinator epoch in the value of a COMMIT or ABORT record. A newer version may be longer.
 * @throws ProtocolError when the value is cut, or its version is negative
 */
export function decodeEndTxnMarker(value: Buffer | null): number {
  if (value === null || value.byteLength < 6)
    throw new ProtocolError('end transaction marker is shorter than 6 bytes')
  if (value.readInt16BE(0) < 0) throw new ProtocolError('end transaction marker has no version')
  return value.readInt32BE(2)
}

/** The KRaft messages, which carry their version as their first field. */
export type KraftControlMessage =
  | typeof leaderChangeMessage
  | typeof snapshotHeaderRecord
  | typeof snapshotFooterRecord
  | typeof kraftVersionRecord
  | typeof votersRecord

/** The value of a KRaft control record, in the version its `version` field says. */
export function encodeControlValue<M extends KraftControlMessage>(
  type: M,
  value: Encodable<M>,
): Buffer {
  const { version } = value as { readonly version: number }
  return encodeWhole((writer) => encoderOf<Message>(type)(version)(writer, value))
}

/** @throws ProtocolError when the value is malformed or of a newer version */
export function decodeControlValue<M extends KraftControlMessage>(
  type: M,
  value: Buffer,
): Decoded<M> {
  if (value.byteLength < 2) throw new ProtocolError(`${type.name} has no version`)
  const version = value.readInt16BE(0)
  checkVersion(type, version)
  return decodeWhole(value, decoderOf<M>(type)(version))
}
