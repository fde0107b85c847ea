import { buildBatch } from './batch-builder.ts'

/** What a control record says; its key is int16 version 0 and this as int16. */
export const ControlRecordType = {
  ABORT: 0,
  COMMIT: 1,
  LEADER_CHANGE: 2,
  SNAPSHOT_HEADER: 3,
  SNAPSHOT_FOOTER: 4,
  KRAFT_VERSION: 5,
  KRAFT_VOTERS: 6,
} as const
export type ControlRecordType = (typeof ControlRecordType)[keyof typeof ControlRecordType]

/** The end of a transaction in one partition. */
export interface EndTxnMarker {
  readonly producerId: number
  readonly producerEpoch: number
  readonly type: typeof ControlRecordType.ABORT | typeof ControlRecordType.COMMIT
  readonly coordinatorEpoch: number
  /** Milliseconds. */
  readonly timestamp: number
}

/**
 * The control batch with one marker that ends a transaction (KIP-98). Base offset and leader epoch
 * are set by the log that appends it.
 */
export function buildEndTxnMarker(marker: EndTxnMarker): Buffer {
  const value = Buffer.alloc(6)
  value.writeInt32BE(marker.coordinatorEpoch, 2)
  return buildBatch([{ timestamp: marker.timestamp, key: controlRecordKey(marker.type), value }], {
    producerId: marker.producerId,
    producerEpoch: marker.producerEpoch,
    isTransactional: true,
    isControl: true,
  })
}

/** The key of a control record of `type`. */
export function controlRecordKey(type: number): Buffer {
  const key = Buffer.alloc(4)
  key.writeInt16BE(type, 2)
  return key
}

/** The type in a control record's key; -1 when the key is too short to hold one. */
export function controlRecordTypeOf(key: Buffer | null): number {
  return key === null || key.length < 4 ? -1 : key.readInt16BE(2)
}

/** The coordinator epoch in a marker's value; -1 when the value is too short to hold one. */
export function coordinatorEpochOf(value: Buffer | null): number {
  return value === null || value.length < 6 ? -1 : value.readInt32BE(2)
}
