import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ConfiguredBroker } from './configured-broker.ts'
import { knowsProducerAfter, START_EFFECTS } from './start-config-effects.ts'

describe('a broker config that is read at the start', () => {
  for (const effect of START_EFFECTS) {
    const { config, value, others = {}, topic = {} } = effect
    const beside = Object.keys(others).length === 0 ? '' : ` beside ${JSON.stringify(others)}`
    it(`${config}=${value}${beside}`, async () => {
      const withIt = await ConfiguredBroker.start({ ...others, [config]: value }, topic)
      assert.deepEqual(await effect.observe(withIt), effect.expected[0])
      await withIt.stop()
      const without = await ConfiguredBroker.start(others, topic)
      assert.deepEqual(await effect.observe(without), effect.expected[1])
      await without.stop()
    })
  }

  it('producer.id.expiration.ms can be changed later too', async () => {
    const broker = await ConfiguredBroker.start({}, {})
    assert(await knowsProducerAfter(broker, 1_200_000))
    await broker.setBroker('producer.id.expiration.ms', '60000')
    await broker.advance(600_000)
    assert.equal(broker.log.activeProducers().length, 0)
    await broker.stop()
  })
})
