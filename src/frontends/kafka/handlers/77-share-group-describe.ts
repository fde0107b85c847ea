import { ErrorCode } from '../../../base/error-code.ts'
import type { DescribedShareGroup } from '../../../broker/groups/share/share-group-requests.ts'
import type { ShareGroupService } from '../../../broker/share/share-group-service.ts'
import { shareGroupDescribeApi } from '../../../wire/kafka/messages/77-share-group-describe.ts'
import { defineHandler, type KafkaHandler } from '../handler.ts'
import { ALL_GROUP_OPERATIONS, NO_OPERATIONS } from './authorized-operations.ts'

export interface ShareGroupDescribeServices {
  readonly shareGroups: Pick<ShareGroupService, 'describe'>
}

/** ShareGroupDescribe (KIP-932). */
export function shareGroupDescribeHandler({
  shareGroups,
}: ShareGroupDescribeServices): KafkaHandler {
  return defineHandler(shareGroupDescribeApi, async ({ groupIds, includeAuthorizedOperations }) => {
    const described = await Promise.all(groupIds.map((id) => shareGroups.describe(id)))
    return {
      throttleTimeMs: 0,
      groups: described.map((group) => toWire(group, includeAuthorizedOperations)),
    }
  })
}

function toWire(group: DescribedShareGroup, includesOperations: boolean) {
  const { state, members, ...facts } = group
  const isTold = includesOperations && group.errorCode === ErrorCode.NONE
  return {
    ...facts,
    groupState: state,
    members: members.map(({ assignment, ...member }) => ({
      ...member,
      subscribedTopicNames: [...member.subscribedTopicNames],
      assignment: {
        topicPartitions: assignment.map(({ topicId, topicName, partitions }) => ({
          topicId,
          topicName,
          partitions: [...partitions],
        })),
      },
    })),
    authorizedOperations: isTold ? ALL_GROUP_OPERATIONS : NO_OPERATIONS,
  }
}
