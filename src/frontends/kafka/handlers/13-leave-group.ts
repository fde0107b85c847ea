import { ErrorCode } from '../../../base/error-code.ts'
import type { GroupCoordinator } from '../../../broker/groups/group-coordinator.ts'
import { leaveGroupApi } from '../../../wire/kafka/messages/13-leave-group.ts'
import { defineHandler, type KafkaHandler } from '../handler.ts'

export interface LeaveGroupServices {
  readonly groups: Pick<GroupCoordinator, 'leaveGroup'>
}

/** First version with several members in one request, each with its own outcome (KIP-345). */
const MEMBERS_SINCE = 3

/** LeaveGroup: members that go, or are taken out by an operator by their instance id. */
export function leaveGroupHandler({ groups }: LeaveGroupServices): KafkaHandler {
  return defineHandler(leaveGroupApi, async (request, { apiVersion }) => {
    const { groupId } = request
    if (apiVersion >= MEMBERS_SINCE) {
      return { ...(await groups.leaveGroup({ groupId, members: request.members })) }
    }
    const members = [{ memberId: request.memberId, groupInstanceId: null }]
    const result = await groups.leaveGroup({ groupId, members })
    if (result.errorCode !== ErrorCode.NONE) return { errorCode: result.errorCode }
    return { errorCode: result.members[0]?.errorCode ?? ErrorCode.NONE }
  })
}
