/**
 * What consumers put into JoinGroup and SyncGroup as metadata and assignment: an int16 version and
 * a struct. The broker passes them on; it reads them to describe groups and to know which topics
 * a group subscribes to.
 * Source: ConsumerProtocol, kafka-clients 4.4 (KIP-429, KIP-792, KIP-881).
 */
import { ProtocolError } from '../../base/errors.ts'
import { decoderOf, encoderOf } from '../../schema/codec.ts'
import { Reader } from '../../schema/reader.ts'
import {
  array,
  bytes,
  type Decoded,
  type Encodable,
  int32,
  list,
  type Message,
  message,
  string,
  struct,
} from '../../schema/schema.ts'
import { encodeWhole } from './encoding.ts'

/** The `protocolType` of groups whose members speak this protocol. */
export const CONSUMER_PROTOCOL_TYPE = 'consumer'

const topicPartition = struct({
  topic: string,
  partitions: array(int32),
})

export const consumerProtocolSubscription = message({
  name: 'ConsumerProtocolSubscription',
  versions: [0, 3],
  fields: {
    topics: array(string),
    userData: bytes.orNull(),
    ownedPartitions: array(topicPartition).since(1).ignorable(),
    generationId: int32.since(2).default(-1).ignorable(),
    rackId: string.since(3).orNull().ignorable(),
  },
})

export const consumerProtocolAssignment = message({
  name: 'ConsumerProtocolAssignment',
  versions: [0, 3],
  fields: {
    assignedPartitions: list({
      topic: string,
      partitions: array(int32),
    }),
    userData: bytes.orNull(),
  },
})

type ConsumerProtocolMessage =
  | typeof consumerProtocolSubscription
  | typeof consumerProtocolAssignment

export function encodeConsumerProtocol<M extends ConsumerProtocolMessage>(
  type: M,
  version: number,
  value: Encodable<M>,
): Buffer {
  return encodeWhole((writer) => {
    writer.int16(version)
    encoderOf<M>(type)(version)(writer, value)
  })
}

/**
 * Decodes a subscription or an assignment; `userData` is a view. As in Kafka a newer version is
 * read as the newest one known, and bytes after the struct are ignored: versions only append.
 * @throws ProtocolError when the bytes are malformed
 */
export function decodeConsumerProtocol<M extends ConsumerProtocolMessage>(
  type: M,
  value: Buffer,
): Decoded<M> {
  const reader = new Reader(value)
  const version = reader.int16()
  if (version < 0) throw new ProtocolError(`${(type as Message).name} has no version ${version}`)
  return decoderOf<M>(type)(Math.min(version, type.versions[1]))(reader)
}

/**
 * Decodes only the topics of a subscription, whatever its version. They come first in all versions, and
 * some clients write a version whose other fields they leave out (@platformatic/kafka), so Kafka's
 * coordinator reads each as version 0 when it wants to know what a group subscribes to.
 * @throws ProtocolError when the bytes are malformed
 */
export function decodeSubscribedTopics(value: Buffer): readonly string[] {
  const reader = new Reader(value)
  reader.int16()
  const decode = decoderOf<typeof consumerProtocolSubscription>(consumerProtocolSubscription)
  return decode(0)(reader).topics
}
