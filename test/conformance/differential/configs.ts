import { describeConfigsApi } from '../../../src/wire/kafka/messages/32-describe-configs.ts'
import { alterConfigsApi } from '../../../src/wire/kafka/messages/33-alter-configs.ts'
import { incrementalAlterConfigsApi } from '../../../src/wire/kafka/messages/44-incremental-alter-configs.ts'
import type { Broker } from './support/broker.ts'
import { type Scenario, scenario } from './support/scenario.ts'
import { comparableConfigs } from './support/shown-configs.ts'

const TOPIC = 2
const BROKER = 4
const OPERATIONS = { set: 0, delete: 1, append: 2, subtract: 3 } as const

async function describe(
  broker: Broker,
  resourceName: string,
  keys: string[] | null,
  options: { type?: number; version?: number; synonyms?: boolean } = {},
) {
  const { type = TOPIC, version = 4, synonyms = true } = options
  const answer = await broker.call(describeConfigsApi, version, {
    resources: [{ resourceType: type, resourceName, configurationKeys: keys }],
    ...{ includeSynonyms: synonyms, includeDocumentation: false },
  })
  return answer.results.map((result) => ({
    ...result,
    configs: comparableConfigs(result.configs),
  }))
}

type Change = readonly [name: string, operation: keyof typeof OPERATIONS, value: string | null]

async function alter(
  broker: Broker,
  resourceName: string,
  changes: readonly Change[],
  options: { type?: number; validateOnly?: boolean } = {},
) {
  const configs = changes.map(([name, operation, value]) => ({
    name,
    configOperation: OPERATIONS[operation],
    value,
  }))
  return broker.call(incrementalAlterConfigsApi, 1, {
    resources: [{ resourceType: options.type ?? TOPIC, resourceName, configs }],
    validateOnly: options.validateOnly ?? false,
  })
}

/**
 * Kafka learns of a change a moment after it answered. Changes are seen in order, so when a later one to another
 * config is there, all before it are.
 */
async function settle(broker: Broker, topic: string, step: number): Promise<void> {
  const value = String(1000 + step)
  await alter(broker, topic, [['segment.jitter.ms', 'set', value]])
  await broker.until(`configs of ${topic}`, async () => {
    const [result] = await describe(broker, topic, ['segment.jitter.ms'])
    return result?.configs[0]?.value === value ? true : undefined
  })
}

const refused: Readonly<Record<string, readonly Change[]>> = {
  'an unknown name': [['no.such.config', 'set', '1']],
  'a bad number': [['retention.ms', 'set', 'soon']],
  'a value outside its range': [['min.cleanable.dirty.ratio', 'set', '7']],
  'APPEND to what is no list': [['retention.ms', 'append', '5']],
  'SUBTRACT from what is no list': [['retention.ms', 'subtract', '5']],
  'a null value': [['retention.ms', 'set', null]],
  'the same name twice': [
    ['retention.ms', 'set', '1000'],
    ['retention.ms', 'set', '2000'],
  ],
  'a list that would be invalid': [['cleanup.policy', 'append', 'shred']],
}

export const configs: readonly Scenario[] = [
  scenario(
    'every config of a topic has the value, type and source that Kafka shows',
    async (broker) => {
      await broker.createTopic('configs-all', { configs: { 'retention.ms': '1000' } })
      return describe(broker, 'configs-all', null)
    },
  ),
  scenario('DescribeConfigs in each version', async (broker) => {
    await broker.createTopic('configs-versions', { configs: { 'cleanup.policy': 'compact' } })
    const answers: unknown[] = []
    for (let version = 1; version <= 4; version++) {
      answers.push(
        await describe(broker, 'configs-versions', ['cleanup.policy', 'retention.ms'], { version }),
      )
    }
    return answers
  }),
  scenario('a value set to its default is a value of the topic', async (broker) => {
    await broker.createTopic('configs-default', { configs: { 'retention.ms': '604800000' } })
    return describe(broker, 'configs-default', ['retention.ms'])
  }),
  scenario('synonyms are left out unless asked for, unknown names too', async (broker) => {
    await broker.createTopic('configs-synonyms', { configs: { 'cleanup.policy': 'compact' } })
    return [
      await describe(broker, 'configs-synonyms', ['cleanup.policy'], { synonyms: false }),
      await describe(broker, 'configs-synonyms', ['no.such.config']),
      await describe(broker, 'configs-synonyms', []),
    ]
  }),
  scenario('a missing topic, a bad name, an unknown kind of resource', async (broker) => [
    await describe(broker, 'configs-missing', null),
    await describe(broker, 'a b', null),
    await describe(broker, 'x', null, { type: 77 }),
  ]),
  scenario('the broker shows what clients look for, another broker is refused', async (broker) => [
    await describe(
      broker,
      '1',
      ['auto.create.topics.enable', 'num.partitions', 'message.max.bytes'],
      { type: BROKER },
    ),
    await describe(broker, '7', null, { type: BROKER }),
    await describe(broker, 'one', null, { type: BROKER }),
  ]),
  ...Object.entries(refused).map(([what, changes], index) =>
    scenario(`IncrementalAlterConfigs refuses ${what}`, async (broker) => {
      await broker.createTopic(`configs-refused-${index}`)
      return [
        await alter(broker, `configs-refused-${index}`, changes),
        await describe(
          broker,
          `configs-refused-${index}`,
          changes.map(([name]) => name),
        ),
      ]
    }),
  ),
  scenario('IncrementalAlterConfigs sets, deletes, appends and subtracts', async (broker) => {
    const topic = 'configs-change'
    await broker.createTopic(topic)
    const steps: (readonly Change[])[] = [
      [['cleanup.policy', 'append', 'compact']],
      [['cleanup.policy', 'append', 'compact']],
      [['cleanup.policy', 'subtract', 'delete']],
      [
        ['retention.ms', 'set', '5000'],
        ['segment.bytes', 'set', '2000000'],
      ],
      [['retention.ms', 'delete', null]],
      [['retention.ms', 'delete', '']],
    ]
    const seen: unknown[] = []
    const names = ['cleanup.policy', 'retention.ms', 'segment.bytes']
    for (const [index, step] of steps.entries()) {
      const answer = await alter(broker, topic, step)
      await settle(broker, topic, index)
      seen.push([answer, await describe(broker, topic, names)])
    }
    return seen
  }),
  scenario('IncrementalAlterConfigs that only validates changes nothing', async (broker) => {
    await broker.createTopic('configs-dry')
    const changes: readonly Change[] = [['retention.ms', 'set', '1']]
    return [
      await alter(broker, 'configs-dry', changes, { validateOnly: true }),
      await describe(broker, 'configs-dry', ['retention.ms']),
    ]
  }),
  scenario('IncrementalAlterConfigs of a missing topic has error 3', (broker) =>
    alter(broker, 'configs-missing', [['retention.ms', 'set', '1']]),
  ),
  scenario('AlterConfigs replaces everything that is not named', async (broker) => {
    const topic = 'configs-replace'
    await broker.createTopic(topic, {
      configs: { 'retention.ms': '1000', 'cleanup.policy': 'compact' },
    })
    const replace = (name: string, value: string) =>
      broker.call(alterConfigsApi, 2, {
        resources: [{ resourceType: TOPIC, resourceName: topic, configs: [{ name, value }] }],
        validateOnly: false,
      })
    const good = await replace('segment.bytes', '2000000')
    await settle(broker, topic, 0)
    const after = await describe(broker, topic, ['retention.ms', 'cleanup.policy', 'segment.bytes'])
    return [good, after, await replace('no.such.config', '1')]
  }),
]
