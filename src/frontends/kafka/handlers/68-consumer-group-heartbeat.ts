import type { GroupCoordinator } from '../../../broker/groups/group-coordinator.ts'
import { consumerGroupHeartbeatApi } from '../../../wire/kafka/messages/68-consumer-group-heartbeat.ts'
import { defineHandler, type KafkaHandler } from '../handler.ts'
import { groupClientOf } from './group-client.ts'

export interface ConsumerGroupHeartbeatServices {
  readonly groups: Pick<GroupCoordinator, 'consumerHeartbeat'>
}

/** KIP-1082: first version in which the client makes its member id. */
const CLIENT_MADE_IDS_SINCE = 1

/** ConsumerGroupHeartbeat (KIP-848). */
export function consumerGroupHeartbeatHandler({
  groups,
}: ConsumerGroupHeartbeatServices): KafkaHandler {
  return defineHandler(consumerGroupHeartbeatApi, async (request, exchange) => {
    const result = await groups.consumerHeartbeat({
      groupId: request.groupId,
      client: groupClientOf(exchange),
      memberId: request.memberId,
      isMemberIdRequired: exchange.apiVersion >= CLIENT_MADE_IDS_SINCE,
      memberEpoch: request.memberEpoch,
      instanceId: request.instanceId,
      rackId: request.rackId,
      rebalanceTimeoutMs: request.rebalanceTimeoutMs,
      subscribedTopicNames: request.subscribedTopicNames,
      subscribedTopicRegex: request.subscribedTopicRegex,
      serverAssignor: request.serverAssignor,
      ownedPartitions: request.topicPartitions,
    })
    const { assignment, ...answer } = result
    return {
      throttleTimeMs: 0,
      ...answer,
      assignment:
        assignment === null
          ? null
          : {
              topicPartitions: assignment.map(({ topicId, partitions }) => ({
                topicId,
                partitions: [...partitions],
              })),
            },
    }
  })
}
