import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { topicConfigDefinitions } from '../../../src/broker/configs/config-tables.ts'
import { ConfiguredBroker } from './configured-broker.ts'
import { TOPIC_EFFECTS, type TopicEffect } from './topic-config-effects.ts'

async function expectEffect(
  effect: TopicEffect,
  broker: ConfiguredBroker,
  change: (value: string) => Promise<void>,
): Promise<void> {
  assert.deepEqual(await effect.observe(broker), effect.expected[0])
  await change(effect.values[1])
  assert.deepEqual(await effect.observe(broker), effect.expected[1])
  await broker.stop()
}

describe('a config of a topic holds from its creation on, and another value from when it is set', () => {
  for (const effect of TOPIC_EFFECTS) {
    const { config, values, others } = effect
    it(config, async () => {
      assert.notDeepEqual(effect.expected[0], effect.expected[1])
      const broker = await ConfiguredBroker.start({}, { ...others, [config]: values[0] })
      await expectEffect(effect, broker, (value) => broker.setTopic(config, value))
    })
  }
})

describe('a broker config gives topics their default, also when it is changed later', () => {
  for (const effect of TOPIC_EFFECTS) {
    const { config, values, others } = effect
    const name = topicConfigDefinitions().get(config)?.brokerName ?? ''
    // One that is set for topics only.
    if (name === '') continue
    it(`${name} for ${config}`, async () => {
      const broker = await ConfiguredBroker.start({ [name]: values[0] }, { ...others })
      await expectEffect(effect, broker, (value) => broker.setBroker(name, value))
    })
  }
})
