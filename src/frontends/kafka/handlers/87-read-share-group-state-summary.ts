import type { ShareCoordinator } from '../../../broker/share/coordinator/share-coordinator.ts'
import { readShareGroupStateSummaryApi } from '../../../wire/kafka/messages/87-read-share-group-state-summary.ts'
import { defineHandler, type KafkaHandler } from '../handler.ts'
import { ofEachPartition } from './share-state-requests.ts'

/** ReadShareGroupStateSummary: how far a group is (KIP-932). */
export function readShareGroupStateSummaryHandler(services: {
  readonly shareCoordinator: Pick<ShareCoordinator, 'readSummary'>
}): KafkaHandler {
  const { shareCoordinator } = services
  return defineHandler(readShareGroupStateSummaryApi, async ({ groupId, topics }) => ({
    results: await ofEachPartition(groupId, topics, async (key) => ({
      partition: key.partition,
      ...(await shareCoordinator.readSummary(key)),
    })),
  }))
}
