import { ErrorCode } from '../../../base/error-code.ts'
import type { DescribedGroup } from '../../../broker/groups/classic/classic-group-requests.ts'
import type { GroupCoordinator } from '../../../broker/groups/group-coordinator.ts'
import { describeGroupsApi } from '../../../wire/kafka/messages/15-describe-groups.ts'
import { defineHandler, type KafkaHandler } from '../handler.ts'
import { ALL_GROUP_OPERATIONS, NO_OPERATIONS } from './authorized-operations.ts'

export interface DescribeGroupsServices {
  readonly groups: Pick<GroupCoordinator, 'describeGroup'>
}

/** First version that says so when there is no such group (KIP-1043). */
const GROUP_ID_NOT_FOUND_SINCE = 6

/** DescribeGroups of classic groups. */
export function describeGroupsHandler({ groups }: DescribeGroupsServices): KafkaHandler {
  return defineHandler(describeGroupsApi, async (request, { apiVersion }) => {
    const described = await Promise.all(request.groups.map((id) => groups.describeGroup(id)))
    const operations = request.includeAuthorizedOperations ? ALL_GROUP_OPERATIONS : NO_OPERATIONS
    return { groups: described.map((group) => toWire(group, apiVersion, operations)) }
  })
}

function toWire(group: DescribedGroup, apiVersion: number, operations: number) {
  const isMissing = group.errorCode === ErrorCode.GROUP_ID_NOT_FOUND
  const isTold = isMissing && apiVersion >= GROUP_ID_NOT_FOUND_SINCE
  return {
    errorCode: isMissing && !isTold ? ErrorCode.NONE : group.errorCode,
    errorMessage: isTold ? (group.errorMessage ?? `Group ${group.groupId} not found.`) : null,
    groupId: group.groupId,
    groupState: group.state,
    protocolType: group.protocolType,
    protocolData: group.protocolName,
    members: group.members.map(({ metadata, assignment, ...member }) => ({
      ...member,
      memberMetadata: metadata,
      memberAssignment: assignment,
    })),
    authorizedOperations:
      group.errorCode === ErrorCode.NONE || isMissing ? operations : NO_OPERATIONS,
  }
}
