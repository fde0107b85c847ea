import type { GroupCoordinator } from '../../../broker/groups/group-coordinator.ts'
import { joinGroupApi } from '../../../wire/kafka/messages/11-join-group.ts'
import { defineHandler, type KafkaHandler } from '../handler.ts'
import { groupClientOf } from './group-client.ts'

export interface JoinGroupServices {
  readonly groups: Pick<GroupCoordinator, 'joinGroup'>
}

/** Version 0 has one timeout for session and rebalance. */
const REBALANCE_TIMEOUT_SINCE = 1
/** KIP-394 */
const MEMBER_ID_REQUIRED_SINCE = 4
/** First version that may have no protocol name. */
const NULL_PROTOCOL_SINCE = 7
/** KIP-814 */
const SKIP_ASSIGNMENT_SINCE = 9

/** JoinGroup: answered when the group has its next generation, or at once if it can't join. */
export function joinGroupHandler({ groups }: JoinGroupServices): KafkaHandler {
  return defineHandler(joinGroupApi, async (request, exchange) => {
    const { apiVersion } = exchange
    const { sessionTimeoutMs, rebalanceTimeoutMs } = request
    const result = await groups.joinGroup({
      groupId: request.groupId,
      client: groupClientOf(exchange),
      sessionTimeoutMs,
      rebalanceTimeoutMs:
        apiVersion < REBALANCE_TIMEOUT_SINCE ? sessionTimeoutMs : rebalanceTimeoutMs,
      memberId: request.memberId,
      groupInstanceId: request.groupInstanceId,
      protocolType: request.protocolType,
      protocols: request.protocols.map(({ name, metadata }) => ({
        name,
        metadata: Buffer.from(metadata),
      })),
      isMemberIdRequired: apiVersion >= MEMBER_ID_REQUIRED_SINCE,
      canSkipAssignment: apiVersion >= SKIP_ASSIGNMENT_SINCE,
    })
    const { protocolName } = result
    return {
      ...result,
      protocolName: protocolName ?? (apiVersion < NULL_PROTOCOL_SINCE ? '' : null),
    }
  })
}
