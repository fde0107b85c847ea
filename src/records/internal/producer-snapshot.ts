import { crc32c } from '../../base/crc32c.ts'
import { ProtocolError } from '../../base/errors.ts'
import { decoderOf, encoderOf } from '../../schema/codec.ts'
import {
  type DecodedFields,
  int16,
  int32,
  int64,
  list,
  message,
  uint32,
} from '../../schema/schema.ts'
import { checkVersion } from './coordinator-record.ts'
import { decodeWhole, encodeWhole } from './encoding.ts'

const entry = {
  producerId: int64,
  epoch: int16,
  /** Of the producer's last record, as the next two. */
  lastSequence: int32,
  lastOffset: int64,
  /** Last offset minus first offset of the producer's last batch. */
  offsetDelta: int32,
  timestamp: int64,
  coordinatorEpoch: int32,
  /** Where the open transaction starts; -1: none. */
  currentTxnFirstOffset: int64,
}

/**
 * What is in a `.snapshot` file after its int16 version: the state of a partition's producers.
 * Source: ProducerSnapshot, kafka-storage 4.4.
 */
export const producerSnapshot = message({
  name: 'ProducerSnapshot',
  versions: [1, 1],
  fields: {
    /** CRC-32C of all bytes after it. */
    crc: uint32,
    producerEntries: list(entry),
  },
})

const earlierBatch = {
  lastSequence: int32,
  lastOffset: int64,
  offsetDelta: int32,
  timestamp: int64,
}

/**
 * Spool's own, behind what Kafka reads: it ends at the entries and has the CRC cover all that follows.
 * Without it, only the newest batch of each producer would be known after a start.
 */
const producerWindows = message({
  name: 'ProducerWindows',
  versions: [1, 1],
  fields: { windows: list({ producerId: int64, batches: list(earlierBatch) }) },
})

export type EarlierBatch = DecodedFields<typeof earlierBatch>

export interface ProducerSnapshotEntry extends DecodedFields<typeof entry> {
  /** The batches before the last one that duplicates are recognised of, oldest first. */
  readonly earlierBatches?: readonly EarlierBatch[]
}

const VERSION = 1
const CRC_POSITION = 2
const CRC_END = 6
/** `SPLW` */
const WINDOWS_TAG = 0x53504c57

export function encodeProducerSnapshot(producerEntries: readonly ProducerSnapshotEntry[]): Buffer {
  const windows = producerEntries.flatMap(({ producerId, earlierBatches = [] }) =>
    earlierBatches.length === 0 ? [] : [{ producerId, batches: earlierBatches }],
  )
  const bytes = encodeWhole((writer) => {
    writer.int16(VERSION)
    encoderOf(producerSnapshot)(VERSION)(writer, { crc: 0, producerEntries })
    if (windows.length === 0) return
    writer.int32(WINDOWS_TAG)
    encoderOf(producerWindows)(1)(writer, { windows })
  })
  bytes.writeUInt32BE(crc32c(bytes, CRC_END, bytes.byteLength), CRC_POSITION)
  return bytes
}

/** @throws ProtocolError when the file is cut, malformed, damaged or of another version */
export function decodeProducerSnapshot(bytes: Buffer): readonly ProducerSnapshotEntry[] {
  const { snapshot, windows } = decodeWhole(bytes, (reader) => {
    const version = reader.int16()
    checkVersion(producerSnapshot, version)
    const snapshot = decoderOf(producerSnapshot)(version)(reader)
    if (reader.remaining === 0) return { snapshot, windows: [] }
    if (reader.int32() !== WINDOWS_TAG)
      throw new ProtocolError('producer snapshot has other bytes behind its entries')
    return { snapshot, windows: decoderOf(producerWindows)(1)(reader).windows }
  })
  if (snapshot.crc !== crc32c(bytes, CRC_END, bytes.byteLength))
    throw new ProtocolError('producer snapshot has another CRC than its bytes')
  const earlier = new Map(windows.map(({ producerId, batches }) => [producerId, batches]))
  return snapshot.producerEntries.map((entry) => {
    const earlierBatches = earlier.get(entry.producerId)
    return earlierBatches === undefined ? entry : { ...entry, earlierBatches }
  })
}
