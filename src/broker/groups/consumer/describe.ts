import { ErrorCode } from '../../../base/error-code.ts'
import type { GroupStep, GroupTopics } from '../group-step.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import type { ConsumerGroupMember } from './consumer-group-member.ts'
import type {
  DescribedConsumerGroup,
  DescribedConsumerMember,
  DescribedTopicPartitions,
} from './consumer-group-requests.ts'
import { assignorNameOf } from './target-assignment.ts'

/** ConsumerGroupDescribe: what the members have, with what they have to give up, and shall have. */
export function describeConsumerGroup(
  group: ConsumerGroup,
  { config, topics }: GroupStep,
): DescribedConsumerGroup {
  return {
    groupId: group.groupId,
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    state: group.state,
    groupEpoch: group.groupEpoch,
    assignmentEpoch: group.assignmentEpoch,
    assignorName: assignorNameOf(group, config),
    members: [...group.members.values()].map((member) => describeMember(group, member, topics)),
  }
}

function describeMember(
  group: ConsumerGroup,
  member: ConsumerGroupMember,
  topics: GroupTopics,
): DescribedConsumerMember {
  const held = new Map<string, number[]>()
  for (const partitions of [member.assigned, member.pendingRevocation]) {
    for (const [topicId, epochs] of partitions) {
      held.set(topicId, [...(held.get(topicId) ?? []), ...epochs.keys()])
    }
  }
  return {
    memberId: member.memberId,
    instanceId: member.instanceId,
    rackId: member.rackId,
    memberEpoch: member.memberEpoch,
    clientId: member.clientId,
    clientHost: member.clientHost,
    subscribedTopicNames: member.subscribedTopicNames,
    subscribedTopicRegex: member.subscribedTopicRegex,
    assignment: withNames(held, topics),
    targetAssignment: withNames(group.target(member.memberId), topics),
    isClassic: member.classic !== null,
  }
}

/** Topics that are gone are left out. */
function withNames(
  partitions: ReadonlyMap<string, Iterable<number>>,
  { topicsById }: GroupTopics,
): DescribedTopicPartitions[] {
  return [...partitions].flatMap(([topicId, indices]) => {
    const topicName = topicsById.get(topicId)?.name
    return topicName === undefined ? [] : [{ topicId, topicName, partitions: [...indices] }]
  })
}
