import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ConfigError } from '../../../../src/base/errors.ts'
import { BrokerConfig } from '../../../../src/broker/configs/broker-config.ts'
import type { ConfigDefinition } from '../../../../src/broker/configs/config-definition.ts'
import {
  brokerConfigDefinitions,
  topicConfigDefinitions,
} from '../../../../src/broker/configs/config-tables.ts'
import { problemOf } from '../../../../src/broker/configs/config-validation.ts'
import { TopicConfig } from '../../../../src/broker/configs/topic-config.ts'
import { FakeMetadata } from '../../support/fake-cluster.ts'

const configOf = (values: Readonly<Record<string, string>>) =>
  new BrokerConfig(new Map(Object.entries(values)))

function refuses(values: Readonly<Record<string, string>>, expected: RegExp): void {
  assert.throws(
    () => configOf(values),
    (error) => error instanceof ConfigError && expected.test(error.message),
  )
}

describe('the tables of configs', () => {
  it('have the 350 broker and 37 topic configs of Kafka 4.4, each with a fitting default', () => {
    const isKafkas = (one: ConfigDefinition) => !one.name.startsWith('spool.') && !one.isInternal
    const broker = [...brokerConfigDefinitions().values()]
    const topic = [...topicConfigDefinitions().values()]
    assert.equal(broker.filter(isKafkas).length, 350)
    assert.equal(topic.filter(isKafkas).length, 37)
    for (const definition of [...broker, ...topic]) {
      const { name, defaultValue, valid } = definition
      if (defaultValue === null || valid === 'non-empty list') continue
      assert.equal(problemOf(definition, defaultValue), null, name)
    }
    for (const { name, brokerName, type } of topic) {
      if (brokerName === null) continue
      assert.equal(brokerConfigDefinitions().get(brokerName)?.type, type, name)
    }
  })
})

describe('the configs a broker is started with', () => {
  it('are typed, with defaults; no limit is the largest safe integer', () => {
    const config = configOf({ 'num.partitions': '3', 'log.cleanup.policy': 'compact , delete' })
    assert.equal(config.getInt('num.partitions'), 3)
    assert.equal(config.getBoolean('auto.create.topics.enable'), true)
    assert.deepEqual(config.getList('log.cleanup.policy'), ['compact', 'delete'])
    assert.equal(config.getLong('log.flush.interval.messages'), Number.MAX_SAFE_INTEGER)
    assert.equal(config.getString('broker.rack'), '')
    assert.equal(config.isSet('num.partitions'), true)
    assert.equal(config.isSet('log.retention.ms'), false)
  })

  it('are refused when the name is unknown, with the nearest one', () => {
    refuses({ 'num.partition': '1' }, /num\.partition: did you mean num\.partitions\?/)
    refuses({ log_retention_ms: '1' }, /did you mean log\.retention\.ms\?/)
    refuses({ 'completely.different.thing.here': '1' }, /take it out/)
  })

  it('are refused when the value does not fit, in one sentence', () => {
    refuses({ 'num.partitions': '0' }, /num\.partitions: Value must be at least 1;/)
    refuses({ 'num.partitions': 'x' }, /Invalid value x .* Not a number of type INT/)
    refuses({ 'num.partitions': '2147483648' }, /Not a number of type INT/)
    refuses({ 'spool.durability': 'maybe' }, /must be one of: fsync, os/)
    refuses({ 'auto.create.topics.enable': '1' }, /either true or false/)
  })

  it('may be those of listeners and plug-ins that Kafka leaves open', () => {
    configOf({ 'listener.name.internal.ssl.keystore.location': '/a' })
  })
})

describe('the configs a broker is given while it runs', () => {
  it('win in the order: this broker, all brokers, its start, the default', async () => {
    const metadata = new FakeMetadata()
    const config = configOf({ 'log.retention.ms': '3' })
    config.attach(metadata)
    const heard: string[] = []
    config.subscribe({ brokerConfigChanged: (names) => heard.push(...names) })
    const set = (resourceName: string, value: string) =>
      metadata.commit([
        { kind: 'configSet', type: 4, resourceName, name: 'log.retention.ms', value },
      ])
    await set('', '2')
    assert.equal(config.getLong('log.retention.ms'), 2)
    await set('1', '1')
    await set('7', '9')
    assert.equal(config.getLong('log.retention.ms'), 1)
    assert.deepEqual(
      config.synonyms('log.retention.ms').map(({ value, source }) => [value, source]),
      [
        ['1', 2],
        ['2', 3],
        ['3', 4],
      ],
    )
    assert.deepEqual(heard, ['log.retention.ms', 'log.retention.ms'])
  })
})

describe('the defaults of topic configs', () => {
  const topic = (values: Readonly<Record<string, string>>) =>
    new TopicConfig(new Map(), configOf(values))

  it('follow the broker, hours and minutes only where milliseconds are not set', () => {
    assert.equal(topic({}).get('retention.ms'), '604800000')
    assert.equal(topic({ 'log.retention.hours': '2' }).get('retention.ms'), '7200000')
    assert.equal(topic({ 'log.retention.hours': '-1' }).get('retention.ms'), '-1')
    const both = { 'log.retention.hours': '2', 'log.retention.minutes': '3' }
    assert.equal(topic(both).get('retention.ms'), '180000')
    assert.equal(topic({ ...both, 'log.retention.ms': '5' }).get('retention.ms'), '5')
    assert.equal(topic({ 'log.roll.hours': '1' }).logConfig().segmentMs, 3_600_000)
    assert.equal(topic({}).logConfig().flushMs, Number.MAX_SAFE_INTEGER)
  })

  it('show where they come from: nothing for retention.ms at its default', () => {
    assert.deepEqual(topic({}).synonyms('retention.ms'), [])
    assert.equal(topic({}).sourceOf('retention.ms'), 5)
    assert.equal(topic({ 'log.retention.hours': '2' }).sourceOf('retention.ms'), 4)
    const set = topic({ 'log.retention.ms': '5' }).synonyms('retention.ms')
    assert.deepEqual(
      set.map(({ name, value }) => [name, value]),
      [
        ['log.retention.ms', '5'],
        ['log.retention.hours', '168'],
      ],
    )
    assert.deepEqual(topic({}).synonyms('cleanup.policy'), [
      { name: 'log.cleanup.policy', value: 'delete', source: 5 },
    ])
  })

  it('become what a partition asks of batches', () => {
    const settings = topic({
      'compression.type': 'gzip',
      'compression.gzip.level': '3',
      'log.message.timestamp.type': 'LogAppendTime',
      'log.cleanup.policy': 'compact',
    }).produceSettings()
    assert.equal(settings.targetCodec, 1)
    assert.equal(settings.compressionLevel, 3)
    assert.equal(settings.timestampType, 1)
    assert.equal(settings.isCompacted, true)
    assert.equal(settings.isDeleted, false)
    assert.equal(topic({}).produceSettings().targetCodec, null)
    const limit = { 'max.decompressed.message.bytes': '5000' }
    assert.equal(topic(limit).produceSettings().maxDecompressedBytes, 5000)
    assert.equal(topic({}).produceSettings().maxDecompressedBytes, 104_857_600, 'never more')
  })
})
