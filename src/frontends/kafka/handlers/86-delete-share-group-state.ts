import type { ShareCoordinator } from '../../../broker/share/coordinator/share-coordinator.ts'
import { deleteShareGroupStateApi } from '../../../wire/kafka/messages/86-delete-share-group-state.ts'
import { defineHandler, type KafkaHandler } from '../handler.ts'
import { ofEachPartition } from './share-state-requests.ts'

/** DeleteShareGroupState (KIP-932). */
export function deleteShareGroupStateHandler(services: {
  readonly shareCoordinator: Pick<ShareCoordinator, 'deleteState'>
}): KafkaHandler {
  const { shareCoordinator } = services
  return defineHandler(deleteShareGroupStateApi, async ({ groupId, topics }) => ({
    results: await ofEachPartition(groupId, topics, async (key) => ({
      partition: key.partition,
      ...(await shareCoordinator.deleteState(key)),
    })),
  }))
}
