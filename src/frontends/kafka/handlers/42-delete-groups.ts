import { ErrorCode } from '../../../base/error-code.ts'
import type { GroupCoordinator } from '../../../broker/groups/group-coordinator.ts'
import { deleteGroupsApi } from '../../../wire/kafka/messages/42-delete-groups.ts'
import { defineHandler, type KafkaHandler } from '../handler.ts'

export interface DeleteGroupsServices {
  readonly groups: Pick<GroupCoordinator, 'deleteGroup'>
}

/** DeleteGroups: empty groups go with all their offsets. */
export function deleteGroupsHandler({ groups }: DeleteGroupsServices): KafkaHandler {
  return defineHandler(deleteGroupsApi, async ({ groupsNames }) => {
    const results = [...new Set(groupsNames)].map(async (groupId) => {
      const errorCode = await groups.deleteGroup(groupId)
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
