import {
  ConfigResourceTypes,
  IncrementalAlterConfigOperationTypes as Operation,
} from '@platformatic/kafka'
import type { ClientOptions } from './kafka-client.ts'
import { withSecondAdmin } from './second-client.ts'

interface ConfigEntry {
  readonly name: string
  readonly value: string
}

/**
 * Creates a topic with configurations; -1 is the broker's default.
 * @throws CommandFailure with the broker's words
 */
export async function createTopicWith(
  options: ClientOptions,
  topic: string,
  counts: { readonly partitions: number; readonly replicas: number },
  configs: readonly ConfigEntry[],
): Promise<void> {
  await withSecondAdmin(options, async (admin) => {
    await admin.createTopics({ topics: [topic], ...counts, configs: [...configs] })
  })
}

/**
 * Changes single configurations of a topic and leaves the others as they are, also those that somebody
 * else changes at the same moment (KIP-339).
 * @param reset names that go back to their default
 * @throws CommandFailure with the broker's words
 */
export async function alterConfigs(
  options: ClientOptions,
  topic: string,
  changes: readonly ConfigEntry[],
  reset: readonly string[],
): Promise<void> {
  const sets = changes.map((change) => ({ ...change, configOperation: Operation.SET }))
  const deletes = reset.map((name) => ({ name, configOperation: Operation.DELETE }))
  const resource = {
    resourceType: ConfigResourceTypes.TOPIC,
    resourceName: topic,
    configs: [...sets, ...deletes],
  }
  await withSecondAdmin(options, (admin) =>
    admin.incrementalAlterConfigs({ resources: [resource] }),
  )
}
