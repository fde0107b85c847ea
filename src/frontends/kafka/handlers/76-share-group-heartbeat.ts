import { ErrorCode } from '../../../base/error-code.ts'
import { shareHeartbeatError } from '../../../broker/groups/share/share-group-requests.ts'
import type { ShareGroupService } from '../../../broker/share/share-group-service.ts'
import { shareGroupHeartbeatApi } from '../../../wire/kafka/messages/76-share-group-heartbeat.ts'
import { defineHandler, type KafkaHandler } from '../handler.ts'
import { groupClientOf } from './group-client.ts'
import { isShareMemberId } from './share-requests.ts'

export interface ShareGroupHeartbeatServices {
  readonly shareGroups: Pick<ShareGroupService, 'heartbeat'>
}

/** ShareGroupHeartbeat (KIP-932). */
export function shareGroupHeartbeatHandler({
  shareGroups,
}: ShareGroupHeartbeatServices): KafkaHandler {
  return defineHandler(shareGroupHeartbeatApi, async (request, exchange) => {
    const { groupId, memberId, memberEpoch, rackId, subscribedTopicNames } = request
    const client = groupClientOf(exchange)
    const asked = { groupId, client, memberId, memberEpoch, rackId, subscribedTopicNames }
    const { assignment, ...answer } = isShareMemberId(memberId)
      ? await shareGroups.heartbeat(asked)
      : shareHeartbeatError(ErrorCode.INVALID_REQUEST, null)
    const topicPartitions = assignment?.map(({ topicId, partitions }) => ({
      topicId,
      partitions: [...partitions],
    }))
    return {
      throttleTimeMs: 0,
      ...answer,
      assignment: topicPartitions === undefined ? null : { topicPartitions },
    }
  })
}
