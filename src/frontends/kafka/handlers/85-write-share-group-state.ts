import type { DeliveryState } from '../../../broker/delivery/delivery-state.ts'
import type { ShareCoordinator } from '../../../broker/share/coordinator/share-coordinator.ts'
import { writeShareGroupStateApi } from '../../../wire/kafka/messages/85-write-share-group-state.ts'
import { defineHandler, type KafkaHandler } from '../handler.ts'
import { ofEachPartition } from './share-state-requests.ts'

/** WriteShareGroupState: a leader tells what became of records (KIP-932). */
export function writeShareGroupStateHandler(services: {
  readonly shareCoordinator: Pick<ShareCoordinator, 'writeState'>
}): KafkaHandler {
  const { shareCoordinator } = services
  return defineHandler(writeShareGroupStateApi, async ({ groupId, topics }) => ({
    results: await ofEachPartition(groupId, topics, async (key, write) => {
      const stateBatches = write.stateBatches.map(({ deliveryState, ...batch }) => ({
        ...batch,
        state: deliveryState as DeliveryState,
      }))
      const outcome = await shareCoordinator.writeState(key, { ...write, stateBatches })
      return { partition: key.partition, ...outcome }
    }),
  }))
}
