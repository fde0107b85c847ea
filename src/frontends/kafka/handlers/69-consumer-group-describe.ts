import { ErrorCode } from '../../../base/error-code.ts'
import type {
  DescribedConsumerGroup,
  DescribedTopicPartitions,
} from '../../../broker/groups/consumer/consumer-group-requests.ts'
import type { GroupCoordinator } from '../../../broker/groups/group-coordinator.ts'
import { consumerGroupDescribeApi } from '../../../wire/kafka/messages/69-consumer-group-describe.ts'
import { defineHandler, type KafkaHandler } from '../handler.ts'
import { ALL_GROUP_OPERATIONS, NO_OPERATIONS } from './authorized-operations.ts'

export interface ConsumerGroupDescribeServices {
  readonly groups: Pick<GroupCoordinator, 'describeConsumerGroup'>
}

/** What a member speaks (KIP-1099). */
const MEMBER_TYPE = { CLASSIC: 0, CONSUMER: 1 } as const

/** ConsumerGroupDescribe (KIP-848). */
export function consumerGroupDescribeHandler({
  groups,
}: ConsumerGroupDescribeServices): KafkaHandler {
  return defineHandler(
    consumerGroupDescribeApi,
    async ({ groupIds, includeAuthorizedOperations }) => {
      const described = await Promise.all(groupIds.map((id) => groups.describeConsumerGroup(id)))
      return {
        throttleTimeMs: 0,
        groups: described.map((group) => toWire(group, includeAuthorizedOperations)),
      }
    },
  )
}

function toWire(group: DescribedConsumerGroup, includesOperations: boolean) {
  const { state, members, ...facts } = group
  const isTold = includesOperations && group.errorCode === ErrorCode.NONE
  return {
    ...facts,
    groupState: state,
    members: members.map(({ assignment, targetAssignment, isClassic, ...member }) => ({
      ...member,
      subscribedTopicNames: [...member.subscribedTopicNames],
      assignment: { topicPartitions: partitionsToWire(assignment) },
      targetAssignment: { topicPartitions: partitionsToWire(targetAssignment) },
      memberType: isClassic ? MEMBER_TYPE.CLASSIC : MEMBER_TYPE.CONSUMER,
    })),
    authorizedOperations: isTold ? ALL_GROUP_OPERATIONS : NO_OPERATIONS,
  }
}

const partitionsToWire = (topics: readonly DescribedTopicPartitions[]) =>
  topics.map(({ topicId, topicName, partitions }) => ({
    topicId,
    topicName,
    partitions: [...partitions],
  }))
