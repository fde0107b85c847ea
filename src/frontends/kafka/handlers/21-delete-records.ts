import { ErrorCode } from '../../../base/error-code.ts'
import type { PartitionLookup } from '../../../broker/topics/partition-lookup.ts'
import { deleteRecordsApi } from '../../../wire/kafka/messages/21-delete-records.ts'
import { defineHandler, type KafkaHandler } from '../handler.ts'

/** Stands for the high watermark. */
const UP_TO_HIGH_WATERMARK = -1

export interface DeleteRecordsServices {
  readonly partitions: PartitionLookup
  readonly isInternalTopic: (topic: string) => boolean
}

/** DeleteRecords (KIP-107): moves the log start up; answered once that survives a crash. */
export function deleteRecordsHandler(services: DeleteRecordsServices): KafkaHandler {
  return defineHandler(deleteRecordsApi, async (request) => ({
    throttleTimeMs: 0,
    topics: await Promise.all(
      request.topics.map(async ({ name, partitions }) => ({
        name,
        partitions: await Promise.all(
          partitions.map(async ({ partitionIndex, offset }) => {
            const { errorCode, lowWatermark } = await remove(services, name, partitionIndex, offset)
            return { partitionIndex, lowWatermark, errorCode }
          }),
        ),
      })),
    ),
  }))
}

async function remove(
  services: DeleteRecordsServices,
  topic: string,
  index: number,
  beforeOffset: number,
): Promise<{ errorCode: ErrorCode; lowWatermark: number }> {
  const failed = (errorCode: ErrorCode) => ({ errorCode, lowWatermark: -1 })
  if (services.isInternalTopic(topic)) return failed(ErrorCode.INVALID_TOPIC_EXCEPTION)
  const partition = services.partitions.partition(topic, index)
  if (partition === undefined) return failed(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  const { availability, log } = partition
  if (availability !== ErrorCode.NONE) return failed(availability)
  if (!partition.settings.isDeleted) return failed(ErrorCode.POLICY_VIOLATION)
  const offset = beforeOffset === UP_TO_HIGH_WATERMARK ? log.highWatermark : beforeOffset
  if (offset < 0 || offset > log.highWatermark) return failed(ErrorCode.OFFSET_OUT_OF_RANGE)
  try {
    await log.deleteRecordsBefore(offset)
  } catch {
    // The store has logged the cause and takes the log offline.
    return failed(ErrorCode.KAFKA_STORAGE_ERROR)
  }
  return { errorCode: ErrorCode.NONE, lowWatermark: log.logStartOffset }
}
