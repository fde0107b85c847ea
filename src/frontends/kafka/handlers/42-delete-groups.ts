import { ErrorCode } from '../../../base/error-code.ts'
import type { GroupCoordinator } from '../../../broker/groups/group-coordinator.ts'
import type { ShareGroupService } from '../../../broker/share/share-group-service.ts'
import { deleteGroupsApi } from '../../../wire/kafka/messages/42-delete-groups.ts'
import { defineHandler, type KafkaHandler } from '../handler.ts'

export interface DeleteGroupsServices {
  readonly groups: Pick<GroupCoordinator, 'deleteGroup'>
  readonly shareGroups: Pick<ShareGroupService, 'prepareDelete'>
}

/** DeleteGroups: empty groups go with all their offsets. */
export function deleteGroupsHandler({ groups, shareGroups }: DeleteGroupsServices): KafkaHandler {
  return defineHandler(deleteGroupsApi, async ({ groupsNames }) => {
    const results = [...new Set(groupsNames)].map(async (groupId) => {
      // What a share group read is with another coordinator, and goes first.
      const prepared = await shareGroups.prepareDelete(groupId)
      const errorCode = prepared === ErrorCode.NONE ? await groups.deleteGroup(groupId) : prepared
      return { groupId, errorCode, errorMessage: messageOf(groupId, errorCode) }
    })
    return { throttleTimeMs: 0, results: await Promise.all(results) }
  })
}

function messageOf(groupId: string, errorCode: ErrorCode): string | null {
  if (errorCode === ErrorCode.GROUP_ID_NOT_FOUND) return `Group ${groupId} not found.`
  if (errorCode === ErrorCode.NON_EMPTY_GROUP) return `Group ${groupId} is not empty.`
  return null
}
