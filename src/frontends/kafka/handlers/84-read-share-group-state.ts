import type { StateBatch } from '../../../broker/delivery/delivery-state.ts'
import type { ShareCoordinator } from '../../../broker/share/coordinator/share-coordinator.ts'
import { readShareGroupStateApi } from '../../../wire/kafka/messages/84-read-share-group-state.ts'
import { defineHandler, type KafkaHandler } from '../handler.ts'
import { ofEachPartition } from './share-state-requests.ts'

/** ReadShareGroupState: a leader takes over a share partition (KIP-932). */
export function readShareGroupStateHandler(services: {
  readonly shareCoordinator: Pick<ShareCoordinator, 'readState'>
}): KafkaHandler {
  const { shareCoordinator } = services
  return defineHandler(readShareGroupStateApi, async ({ groupId, topics }) => ({
    results: await ofEachPartition(groupId, topics, async (key, { leaderEpoch }) => {
      const { stateBatches, ...state } = await shareCoordinator.readState(key, leaderEpoch)
      return { partition: key.partition, ...state, stateBatches: stateBatches.map(batchToWire) }
    }),
  }))
}

function batchToWire({ state: deliveryState, ...batch }: StateBatch) {
  return { ...batch, deliveryState }
}
