import { ErrorCode } from '../../../base/error-code.ts'
import type { PartitionLookup } from '../../../broker/topics/partition-lookup.ts'
import type { MarkerWriter } from '../../../broker/transactions/transaction-marker-sender.ts'
import { EPOCH_BUMP_VERSION } from '../../../broker/transactions/transaction-metadata.ts'
import type { Clock } from '../../../ports/clock.ts'
import { ControlRecordType, type EndTxnMarker } from '../../../records/control-batch.ts'
import {
  type WriteTxnMarkersRequest,
  writeTxnMarkersApi,
} from '../../../wire/kafka/messages/27-write-txn-markers.ts'
import { defineHandler, type KafkaHandler } from '../handler.ts'

export interface WriteTxnMarkersServices {
  readonly partitions: PartitionLookup
  readonly writer: MarkerWriter
  readonly clock: Clock
}

/** The group coordinator can't write now, which only clients of groups would know by its names. */
const NOT_READY: ReadonlySet<ErrorCode> = new Set([
  ErrorCode.COORDINATOR_NOT_AVAILABLE,
  ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
  ErrorCode.NOT_COORDINATOR,
])

type Marker = WriteTxnMarkersRequest['markers'][number]

/**
 * WriteTxnMarkers: ends transactions in partitions, past their coordinator. The coordinator of
 * another broker sends it, and the operator who ends a hanging transaction (KIP-664).
 */
export function writeTxnMarkersHandler(services: WriteTxnMarkersServices): KafkaHandler {
  return defineHandler(writeTxnMarkersApi, async ({ markers }) => ({
    markers: await Promise.all(markers.map((marker) => write(services, marker))),
  }))
}

async function write(services: WriteTxnMarkersServices, marker: Marker) {
  const { producerId, producerEpoch, coordinatorEpoch, transactionResult, topics } = marker
  const type = transactionResult ? ControlRecordType.COMMIT : ControlRecordType.ABORT
  const timestamp = services.clock.nowMs()
  const ends = { producerId, producerEpoch, type, coordinatorEpoch, timestamp }
  const hasOwnEpoch = marker.transactionVersion >= EPOCH_BUMP_VERSION
  const results = topics.map(async ({ name, partitionIndexes }) => ({
    name,
    partitions: await Promise.all(
      partitionIndexes.map(async (partitionIndex) => ({
        partitionIndex,
        errorCode: await writeOne(services, name, partitionIndex, ends, hasOwnEpoch),
      })),
    ),
  }))
  return { producerId, topics: await Promise.all(results) }
}

function writeOne(
  { partitions, writer }: WriteTxnMarkersServices,
  topic: string,
  partition: number,
  marker: EndTxnMarker,
  hasOwnEpoch: boolean,
): Promise<ErrorCode> {
  const known = partitions.partition(topic, partition)
  if (known === undefined) return Promise.resolve(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  if (known.availability !== ErrorCode.NONE) return Promise.resolve(known.availability)
  const isNegative = marker.producerEpoch < 0
  const refusal = isNegative
    ? ErrorCode.INVALID_PRODUCER_EPOCH
    : known.checkMarker(marker, hasOwnEpoch)
  if (refusal !== ErrorCode.NONE) return Promise.resolve(refusal)
  return new Promise((resolve) => {
    writer.write({ topic, partition }, marker, (errorCode) => {
      resolve(NOT_READY.has(errorCode) ? ErrorCode.NOT_LEADER_OR_FOLLOWER : errorCode)
    })
  })
}
