import { ErrorCode } from '../../../base/error-code.ts'
import { syncError } from '../../../broker/groups/classic/classic-group-requests.ts'
import type { GroupCoordinator } from '../../../broker/groups/group-coordinator.ts'
import { syncGroupApi } from '../../../wire/kafka/messages/14-sync-group.ts'
import { defineHandler, type KafkaHandler } from '../handler.ts'

export interface SyncGroupServices {
  readonly groups: Pick<GroupCoordinator, 'syncGroup'>
}

/** From this version on the protocol must be named (KIP-559). */
const PROTOCOL_REQUIRED_SINCE = 5

/** SyncGroup: answered when the leader has brought the assignments. */
export function syncGroupHandler({ groups }: SyncGroupServices): KafkaHandler {
  return defineHandler(syncGroupApi, async (request, { apiVersion }) => {
    const { protocolType, protocolName } = request
    if (apiVersion >= PROTOCOL_REQUIRED_SINCE && (protocolType === null || protocolName === null)) {
      return { ...syncError(ErrorCode.INCONSISTENT_GROUP_PROTOCOL) }
    }
    const result = await groups.syncGroup({
      groupId: request.groupId,
      generationId: request.generationId,
      memberId: request.memberId,
      groupInstanceId: request.groupInstanceId,
      protocolType,
      protocolName,
      assignments: new Map(
        request.assignments.map(({ memberId, assignment }) => [memberId, Buffer.from(assignment)]),
      ),
    })
    return { ...result }
  })
}
