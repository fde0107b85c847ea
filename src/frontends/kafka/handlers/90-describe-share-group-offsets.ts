import { ErrorCode } from '../../../base/error-code.ts'
import type {
  ShareGroupService,
  SharePartitionOffset,
} from '../../../broker/share/share-group-service.ts'
import { describeShareGroupOffsetsApi } from '../../../wire/kafka/messages/90-describe-share-group-offsets.ts'
import { defineHandler, type KafkaHandler } from '../handler.ts'

export interface DescribeShareGroupOffsetsServices {
  readonly shareGroups: Pick<ShareGroupService, 'describeOffsets'>
}

/** DescribeShareGroupOffsets: where groups are in their topics, and how far behind (KIP-932). */
export function describeShareGroupOffsetsHandler({
  shareGroups,
}: DescribeShareGroupOffsetsServices): KafkaHandler {
  return defineHandler(describeShareGroupOffsetsApi, async ({ groups }) => {
    const described = groups.map(async ({ groupId, topics }) => {
      const read = await shareGroups.describeOffsets(groupId, topics)
      const errorCode = typeof read === 'number' ? read : ErrorCode.NONE
      return {
        groupId,
        errorCode,
        errorMessage: null,
        topics: (typeof read === 'number' ? [] : read).map(({ partitions, ...topic }) => ({
          ...topic,
          partitions: partitions.map(toWire),
        })),
      }
    })
    return { throttleTimeMs: 0, groups: await Promise.all(described) }
  })
}

function toWire({ partition: partitionIndex, ...offset }: SharePartitionOffset) {
  return { partitionIndex, ...offset }
}
