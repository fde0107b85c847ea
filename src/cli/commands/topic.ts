import kafkajs, { type Admin, type ConfigEntries } from 'kafkajs'
import { CommandFailure, parseCount, usageFailure } from '../command-failure.ts'
import { type OutputFormat, printDone, printJson, printRows } from '../output.ts'
import { type ClientOptions, partitionsOf, requireTopic, withAdmin } from './kafka-client.ts'

interface CommonOptions extends ClientOptions {
  readonly output: OutputFormat
}

interface CreateOptions extends CommonOptions {
  readonly partitions?: string
  readonly replicationFactor?: string
  readonly config?: readonly string[]
}

interface AlterOptions extends CommonOptions {
  readonly partitions?: string
  readonly config?: readonly string[]
  readonly reset?: readonly string[]
}

/** Topics that brokers keep for themselves. */
const INTERNAL_TOPICS: ReadonlySet<string> = new Set([
  '__consumer_offsets',
  '__transaction_state',
  '__share_group_state',
  '__jetstream',
])

/** Where a value comes from, in DescribeConfigs: set for the topic itself. */
const DYNAMIC_TOPIC_CONFIG = 1
const TOPIC_RESOURCE = kafkajs.ConfigResourceTypes.TOPIC

/** The broker's own default. */
const BROKER_DEFAULT = -1

export async function createTopic(topic: string, options: CreateOptions): Promise<void> {
  const { partitions, replicationFactor } = options
  const numPartitions =
    partitions === undefined ? BROKER_DEFAULT : parseCount(partitions, '--partitions', 1)
  const replicas =
    replicationFactor === undefined
      ? BROKER_DEFAULT
      : parseCount(replicationFactor, '--replication-factor', 1)
  const configEntries = (options.config ?? []).map(parseConfig)
  await withAdmin(options, async (admin) => {
    const isThere = (await admin.listTopics()).includes(topic)
    if (isThere) throw new CommandFailure(`the topic ${topic} is there already`)
    const counts = { partitions: numPartitions, replicas }
    const { createTopicWith } = await import('./topic-configs.ts')
    await createTopicWith(options, topic, counts, configEntries)
    const count = (await partitionsOf(admin, topic)).length
    printDone(options.output, `created ${topic} with ${count} partitions`, {
      topic,
      partitions: count,
    })
  })
}

export async function listTopics(options: CommonOptions & { internal?: boolean }): Promise<void> {
  await withAdmin(options, async (admin) => {
    const { topics } = await admin.fetchTopicMetadata()
    const rows = topics
      .filter(({ name }) => options.internal === true || !INTERNAL_TOPICS.has(name))
      .map(({ name, partitions }) => ({
        topic: name,
        partitions: partitions.length,
        replicas: partitions[0]?.replicas.length ?? 0,
      }))
      .sort((a, b) => (a.topic < b.topic ? -1 : 1))
    printRows(options.output, ['topic', 'partitions', 'replicas'], rows)
  })
}

export async function describeTopic(topic: string, options: CommonOptions): Promise<void> {
  await withAdmin(options, async (admin) => {
    await requireTopic(admin, topic)
    const metadata = await partitionsOf(admin, topic)
    const offsets = new Map(
      (await admin.fetchTopicOffsets(topic)).map((entry) => [entry.partition, entry]),
    )
    const partitions = metadata.map(({ partitionId, leader, replicas, isr }) => {
      const first = Number(offsets.get(partitionId)?.low ?? 0)
      const end = Number(offsets.get(partitionId)?.high ?? 0)
      return {
        partition: partitionId,
        leader,
        replicas: replicas.join(','),
        isr: isr.join(','),
        firstOffset: first,
        endOffset: end,
        records: end - first,
      }
    })
    const configs = (await configsOf(admin, topic))
      .map(({ configName, configValue, configSource, isDefault }) => ({
        name: configName,
        value: configValue,
        isSet: configSource === DYNAMIC_TOPIC_CONFIG || (configSource < 0 && !isDefault),
      }))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
    if (options.output === 'json') {
      printJson({ topic, partitions, configs })
      return
    }
    const columns = [
      'partition',
      'leader',
      'replicas',
      'isr',
      'firstOffset',
      'endOffset',
      'records',
    ]
    printRows('table', columns, partitions)
    process.stdout.write('\n')
    printRows('table', ['name', 'value', 'isSet'], configs)
  })
}

export async function alterTopic(topic: string, options: AlterOptions): Promise<void> {
  const { partitions, config = [], reset = [] } = options
  if (partitions === undefined && config.length === 0 && reset.length === 0) {
    throw usageFailure('nothing to change: give --partitions, --config or --reset')
  }
  const count = partitions === undefined ? undefined : parseCount(partitions, '--partitions', 1)
  const changes = config.map(parseConfig)
  await withAdmin(options, async (admin) => {
    await requireTopic(admin, topic)
    if (reset.length > 0) await requireConfigs(admin, topic, reset)
    if (count !== undefined) {
      await requireMore(admin, topic, count)
      await admin.createPartitions({ topicPartitions: [{ topic, count }] })
    }
    if (changes.length + reset.length > 0) {
      const { alterConfigs } = await import('./topic-configs.ts')
      await alterConfigs(options, topic, changes, reset)
    }
    printDone(options.output, `changed ${topic}`, { topic })
  })
}

export async function deleteTopics(
  topics: readonly string[],
  options: CommonOptions,
): Promise<void> {
  await withAdmin(options, async (admin) => {
    const known = new Set(await admin.listTopics())
    const missing = topics.filter((topic) => !known.has(topic))
    if (missing.length > 0) throw new CommandFailure(`there is no topic ${missing.join(', ')}`)
    await admin.deleteTopics({ topics: [...topics] })
    printDone(options.output, `deleted ${topics.join(', ')}`, { deleted: topics })
  })
}

/** A broker lets a name pass that it does not know, as long as it is taken away. */
async function requireConfigs(
  admin: Admin,
  topic: string,
  names: readonly string[],
): Promise<void> {
  const known = new Set((await configsOf(admin, topic)).map(({ configName }) => configName))
  const missing = names.filter((name) => !known.has(name))
  if (missing.length === 0) return
  throw new CommandFailure(`topics have no configuration ${missing.join(', ')}`)
}

async function requireMore(admin: Admin, topic: string, count: number): Promise<void> {
  const { length } = await partitionsOf(admin, topic)
  if (count > length) return
  throw new CommandFailure(
    `${topic} has ${length} partitions, and they can only become more: --partitions ${count} is not`,
  )
}

function parseConfig(text: string): { name: string; value: string } {
  const at = text.indexOf('=')
  if (at <= 0) throw usageFailure(`--config "${text}" is not name=value`)
  return { name: text.slice(0, at), value: text.slice(at + 1) }
}

async function configsOf(admin: Admin, topic: string): Promise<ConfigEntries[]> {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: TOPIC_RESOURCE, name: topic }],
  })
  return resources[0]?.configEntries ?? []
}
