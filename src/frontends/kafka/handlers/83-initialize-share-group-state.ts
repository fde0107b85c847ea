import type { ShareCoordinator } from '../../../broker/share/coordinator/share-coordinator.ts'
import { initializeShareGroupStateApi } from '../../../wire/kafka/messages/83-initialize-share-group-state.ts'
import { defineHandler, type KafkaHandler } from '../handler.ts'
import { ofEachPartition } from './share-state-requests.ts'

/** InitializeShareGroupState: makes state, or sets it anew (KIP-932). */
export function initializeShareGroupStateHandler(services: {
  readonly shareCoordinator: Pick<ShareCoordinator, 'initializeState'>
}): KafkaHandler {
  const { shareCoordinator } = services
  return defineHandler(initializeShareGroupStateApi, async ({ groupId, topics }) => ({
    results: await ofEachPartition(groupId, topics, async (key, one) => ({
      partition: key.partition,
      ...(await shareCoordinator.initializeState(key, one.stateEpoch, one.startOffset)),
    })),
  }))
}
