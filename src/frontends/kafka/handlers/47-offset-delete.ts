import { ErrorCode } from '../../../base/error-code.ts'
import type { GroupCoordinator } from '../../../broker/groups/group-coordinator.ts'
import type { MetadataStore } from '../../../ports/metadata-store.ts'
import { offsetDeleteApi } from '../../../wire/kafka/messages/47-offset-delete.ts'
import { defineHandler, type KafkaHandler } from '../handler.ts'

export interface OffsetDeleteServices {
  readonly groups: Pick<GroupCoordinator, 'deleteOffsets'>
  readonly metadata: Pick<MetadataStore, 'image'>
}

/** OffsetDelete (KIP-496): offsets of topics that the group does not subscribe to any more. */
export function offsetDeleteHandler({ groups, metadata }: OffsetDeleteServices): KafkaHandler {
  return defineHandler(offsetDeleteApi, async (request) => {
    const isKnown = (topic: string, partition: number): boolean =>
      metadata.image.topics.get(topic)?.partitions[partition] !== undefined
    const topics = request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions
        .map(({ partitionIndex }) => partitionIndex)
        .filter((partition) => isKnown(name, partition)),
    }))
    const result = await groups.deleteOffsets({ groupId: request.groupId, topics })
    if (result.errorCode !== ErrorCode.NONE) {
      return { errorCode: result.errorCode, throttleTimeMs: 0, topics: [] }
    }
    const outcomes = request.topics.map(({ name, partitions }, index) => {
      const known = new Map(
        result.topics[index]?.partitions.map(({ partition, errorCode }) => [partition, errorCode]),
      )
      return {
        name,
        partitions: partitions.map(({ partitionIndex }) => ({
          partitionIndex,
          errorCode: known.get(partitionIndex) ?? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
        })),
      }
    })
    return { errorCode: ErrorCode.NONE, throttleTimeMs: 0, topics: outcomes }
  })
}
