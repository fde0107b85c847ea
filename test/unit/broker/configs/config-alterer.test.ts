import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ErrorCode } from '../../../../src/base/error-code.ts'
import { ConfigAlterer } from '../../../../src/broker/configs/config-alterer.ts'
import { ConfigDescriber } from '../../../../src/broker/configs/config-describer.ts'
import { SerialTasks } from '../../../../src/broker/serial-tasks.ts'
import { makeCluster, topicImage } from '../../support/fake-cluster.ts'

const [SET, DELETE, APPEND, SUBTRACT] = [0, 1, 2, 3]
const [TOPIC, BROKER] = [2, 4]
type Step = readonly [name: string, operation: number, value: string | null]

async function makeAlterer() {
  const { metadata, config } = await makeCluster()
  const topic = topicImage('orders', 'c3Bvb2wtdG9waWMtaWQwMQ', 1)
  await metadata.commit([
    { kind: 'topicCreated', topic },
    { kind: 'configSet', type: 4, resourceName: '', name: 'min.insync.replicas', value: '1' },
  ])
  const alterer = new ConfigAlterer(metadata, config, new SerialTasks())
  const describer = new ConfigDescriber(metadata, config)
  const resource = (type: number, resourceName: string, steps: readonly Step[]) => ({
    type,
    resourceName,
    alterations: steps.map(([name, operation, value]) => ({ name, operation, value })),
  })
  /** Code and text of one incremental alteration. */
  const alter = async (type: number, resourceName: string, ...steps: Step[]) => {
    const resources = [resource(type, resourceName, steps)]
    const [outcome] = await alterer.alter(resources, false, false)
    return [outcome?.errorCode, outcome?.errorMessage]
  }
  const shown = (name: string) => describer.topic('orders', [name])[0]
  return { metadata, alterer, describer, resource, alter, shown }
}

describe('IncrementalAlterConfigs (KIP-339)', () => {
  it('sets, deletes, appends to and subtracts from lists', async () => {
    const { alter, shown } = await makeAlterer()
    const policy = async (operation: number, value: string) => {
      await alter(TOPIC, 'orders', ['cleanup.policy', operation, value])
      return shown('cleanup.policy')?.value
    }
    assert.equal(await policy(APPEND, 'compact'), 'delete,compact')
    assert.equal(await policy(APPEND, 'compact'), 'delete,compact')
    assert.equal(await policy(SUBTRACT, 'delete'), 'compact')
    assert.equal(await policy(SUBTRACT, 'delete'), 'compact')
    assert.equal(await policy(SET, 'delete'), 'delete')
    assert.equal(shown('cleanup.policy')?.source, 1)
    await alter(TOPIC, 'orders', ['cleanup.policy', DELETE, null])
    assert.equal(shown('cleanup.policy')?.source, 5)
  })

  it('shows a value that was set to its default as set', async () => {
    const { alter, shown } = await makeAlterer()
    await alter(TOPIC, 'orders', ['retention.ms', SET, '604800000'])
    assert.equal(shown('retention.ms')?.source, 1)
  })

  it('refuses a resource as a whole', async () => {
    const { alter, metadata } = await makeAlterer()
    const { INVALID_CONFIG, INVALID_REQUEST, UNKNOWN_TOPIC_OR_PARTITION } = ErrorCode
    const good: Step = ['retention.ms', SET, '1']
    const code = async (...steps: Step[]) => (await alter(TOPIC, 'orders', ...steps))[0]
    assert.equal(await code(good, ['retention.bytes', APPEND, '1']), INVALID_CONFIG)
    assert.equal(await code(good, ['retention.ms', SET, '2']), INVALID_REQUEST)
    assert.equal(await code(good, ['retention.bytes', SET, null]), INVALID_REQUEST)
    assert.equal(await code(good, ['nope', SET, '1']), INVALID_CONFIG)
    assert.equal(await code(good, ['segment.bytes', SET, 'x']), INVALID_CONFIG)
    assert.equal(await code(good, ['segment.bytes', 9, '1']), ErrorCode.UNKNOWN_SERVER_ERROR)
    assert.equal(metadata.image.configs(2, 'orders').size, 0)
    assert.deepEqual(await alter(TOPIC, 'nope', good), [
      UNKNOWN_TOPIC_OR_PARTITION,
      "The topic 'nope' does not exist.",
    ])
    assert.equal((await alter(0, 'orders', good))[0], INVALID_REQUEST)
    assert.equal((await alter(8, '1', good))[0], INVALID_CONFIG)
  })

  it('refuses a resource that comes twice, and only checks when asked to', async () => {
    const { alterer, resource, metadata } = await makeAlterer()
    const one = resource(2, 'orders', [['retention.ms', 0, '1']])
    const twice = await alterer.alter([one, { ...one }], false, false)
    assert.deepEqual(
      twice.map(({ errorCode }) => errorCode),
      [ErrorCode.INVALID_REQUEST, ErrorCode.INVALID_REQUEST],
    )
    const [checked] = await alterer.alter([one], false, true)
    assert.equal(checked?.errorCode, ErrorCode.NONE)
    assert.equal(metadata.image.configs(2, 'orders').size, 0)
  })
})

describe('IncrementalAlterConfigs of brokers', () => {
  it('takes configs that work while running, for this broker or all', async () => {
    const { alter, describer } = await makeAlterer()
    assert.equal((await alter(BROKER, '', ['log.retention.ms', SET, '5'])).at(0), 0)
    assert.equal((await alter(BROKER, '1', ['log.retention.ms', SET, '6'])).at(0), 0)
    assert.equal(describer.broker('1', ['log.retention.ms'])[0]?.value, '6')
    assert.deepEqual(
      describer.broker('', null).map(({ name, value }) => [name, value]),
      [
        ['log.retention.ms', '5'],
        ['min.insync.replicas', '1'],
      ],
    )
    const refused = async (resourceName: string, name: string, value: string) =>
      alter(BROKER, resourceName, [name, SET, value])
    assert.deepEqual(await refused('1', 'num.partitions', '3'), [
      ErrorCode.INVALID_REQUEST,
      'Cannot update these configs dynamically: [num.partitions]',
    ])
    assert.match(String((await refused('2', 'log.retention.ms', '3'))[1]), /expected 1, but/)
    assert.match(String((await refused('x', 'log.retention.ms', '3'))[1]), /must be an integer/)
    assert.match(String((await refused('1', 'log.retention.ms', 'x'))[1]), /Not a number/)
    assert.match(String((await refused('1', 'log.retention.m', '3'))[1]), /log\.retention\.ms\?/)
    assert.match(String((await refused('1', 'min.insync.replicas', '2'))[1]), /ELR/)
  })
})

describe('AlterConfigs', () => {
  it('sets back what is not named', async () => {
    const { alterer, alter, resource, metadata } = await makeAlterer()
    await alter(TOPIC, 'orders', ['retention.ms', SET, '1'], ['retention.bytes', SET, '2'])
    await alterer.alter([resource(TOPIC, 'orders', [['segment.ms', SET, '3']])], true, false)
    assert.deepEqual([...metadata.image.configs(2, 'orders')], [['segment.ms', '3']])
  })
})

describe('DescribeConfigs', () => {
  it('knows this broker, the defaults of all brokers, and topics that exist', async () => {
    const { describer } = await makeAlterer()
    assert.throws(() => describer.broker('2', null), /expected 1 or empty string/)
    assert.throws(() => describer.broker('x', null), /must be an integer/)
    assert.throws(() => describer.topic('nope', null), { code: 3 })
    assert.throws(() => describer.topic('a/b', null), { code: 17 })
    assert.deepEqual(
      describer.topic('orders', ['nope', 'retention.ms']).map(({ name }) => name),
      ['retention.ms'],
    )
    assert.equal(describer.topic('orders', []).length, 38)
  })

  it('never shows what is sensitive', async () => {
    const { describer } = await makeAlterer()
    const [password] = describer.broker('1', ['ssl.keystore.password'])
    assert.deepEqual([password?.isSensitive, password?.value], [true, null])
  })
})
