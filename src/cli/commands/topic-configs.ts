import {
  Admin,
  ConfigResourceTypes,
  GenericError,
  MultipleErrors,
  IncrementalAlterConfigOperationTypes as Operation,
  ProtocolError,
} from '@platformatic/kafka'
import { CommandFailure } from '../command-failure.ts'
import type { ClientOptions } from './kafka-client.ts'

/*
 * What has to do with configurations of topics goes through a second client library: kafkajs can only
 * replace all of them, and keeps the broker's words about a wrong one for itself.
 */

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
  await withConfigAdmin(options, async (admin) => {
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
  await withConfigAdmin(options, (admin) =>
    admin.incrementalAlterConfigs({ resources: [resource] }),
  )
}

async function withConfigAdmin(
  { bootstrap }: ClientOptions,
  task: (admin: Admin) => Promise<void>,
): Promise<void> {
  const admin = new Admin({
    clientId: 'spool-cli',
    bootstrapBrokers: bootstrap.split(',').map((broker) => broker.trim()),
    // A refusal stays one; whether the broker is there was found out before.
    retries: 0,
  })
  try {
    await task(admin)
  } catch (error) {
    throw new CommandFailure(reasonOf(error), undefined, { cause: error })
  } finally {
    await admin.close()
  }
}

/** The library wraps: one error per broker, per resource, in lists. */
function reasonOf(error: unknown): string {
  const root = rootOf(error)
  if (root instanceof ProtocolError) {
    const text = root['serverErrorMessage'] ?? root.message
    return `${String(text)} (${String(root['apiId'])})`
  }
  return root instanceof Error ? root.message : String(root)
}

function rootOf(error: unknown): unknown {
  if (error instanceof MultipleErrors && error.errors[0] !== undefined) {
    return rootOf(error.errors[0])
  }
  if (error instanceof GenericError && error.cause !== undefined) return rootOf(error.cause)
  return error
}
