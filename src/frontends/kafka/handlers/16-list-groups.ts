import type { GroupCoordinator } from '../../../broker/groups/group-coordinator.ts'
import { listGroupsApi } from '../../../wire/kafka/messages/16-list-groups.ts'
import { defineHandler, type KafkaHandler } from '../handler.ts'

export interface ListGroupsServices {
  readonly groups: Pick<GroupCoordinator, 'listGroups'>
}

/** ListGroups, filtered by state (KIP-518) and type (KIP-848). */
export function listGroupsHandler({ groups }: ListGroupsServices): KafkaHandler {
  return defineHandler(listGroupsApi, async ({ statesFilter, typesFilter }) => {
    const listed = await groups.listGroups(statesFilter, typesFilter)
    return {
      errorCode: listed.errorCode,
      groups: listed.groups.map(({ groupId, protocolType, state, type }) => ({
        groupId,
        protocolType,
        groupState: state,
        groupType: type,
      })),
    }
  })
}
