import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { groupConfigOf } from '../../../../src/app/group-settings.ts'
import { ErrorCode } from '../../../../src/base/error-code.ts'
import { ConfigAlterer } from '../../../../src/broker/configs/config-alterer.ts'
import { ConfigDescriber } from '../../../../src/broker/configs/config-describer.ts'
import { SerialTasks } from '../../../../src/broker/serial-tasks.ts'
import { makeCluster } from '../../support/fake-cluster.ts'

const SET = 0
const DELETE = 1
const BROKER = 4
const GROUP = 32
const SESSION = 'consumer.session.timeout.ms'

async function makeConfigs(configs: Readonly<Record<string, string>> = {}) {
  const { metadata, config } = await makeCluster({ configs })
  const alterer = new ConfigAlterer(metadata, config, new SerialTasks())
  const describer = new ConfigDescriber(metadata, config)
  const alter = async (
    type: number,
    resourceName: string,
    name: string,
    value: string | null,
    isDryRun = false,
  ) => {
    const operation = value === null ? DELETE : SET
    const resources = [{ type, resourceName, alterations: [{ name, operation, value }] }]
    const [outcome] = await alterer.alter(resources, false, isDryRun)
    return [outcome?.errorCode, outcome?.errorMessage]
  }
  /** What the coordinator works with for the group. */
  const sessionMs = (groupId: string) =>
    groupConfigOf(config, metadata).ofGroup(groupId).consumerSessionTimeoutMs
  const shown = (groupId: string) => {
    const [described] = describer.group(groupId, [SESSION])
    return [described?.value, described?.source]
  }
  return { metadata, describer, alter, sessionMs, shown }
}

describe('configs of groups (KIP-848)', () => {
  it('stand in for the configs of the broker from the moment they are set until deleted', async () => {
    const { alter, sessionMs, shown } = await makeConfigs()
    assert.equal(sessionMs('one'), undefined)
    assert.deepEqual(shown('one'), ['45000', 5])
    assert.deepEqual(await alter(GROUP, 'one', SESSION, '50000'), [ErrorCode.NONE, null])
    assert.equal(sessionMs('one'), 50_000)
    assert.deepEqual(shown('one'), ['50000', 8])
    assert.equal(sessionMs('two'), undefined, 'another group has none')
    await alter(GROUP, 'one', SESSION, null)
    assert.equal(sessionMs('one'), undefined)
    assert.deepEqual(shown('one'), ['45000', 5])
  })

  it('change nothing when they are only checked', async () => {
    const { alter, sessionMs } = await makeConfigs()
    assert.deepEqual(await alter(GROUP, 'one', SESSION, '50000', true), [ErrorCode.NONE, null])
    assert.equal(sessionMs('one'), undefined)
  })

  it('show what the broker was started with, and where it comes from', async () => {
    const { shown } = await makeConfigs({ 'group.consumer.session.timeout.ms': '46000' })
    assert.deepEqual(shown('one'), ['46000', 4])
  })

  it('stay within the bounds of the broker when those become narrower', async () => {
    const { alter, sessionMs, metadata } = await makeConfigs()
    await alter(GROUP, 'one', SESSION, '50000')
    const bound = async (name: string, value: string) => {
      await metadata.commit([{ kind: 'configSet', type: BROKER, resourceName: '', name, value }])
      return sessionMs('one')
    }
    assert.equal(await bound('group.consumer.max.session.timeout.ms', '48000'), 48_000)
    assert.equal(await bound('group.consumer.max.session.timeout.ms', '60000'), 50_000)
    assert.equal(await bound('group.consumer.min.session.timeout.ms', '55000'), 55_000)
  })

  it('refuse what is unknown, no number, or outside of the bounds', async () => {
    const { alter } = await makeConfigs()
    const { INVALID_CONFIG, INVALID_REQUEST } = ErrorCode
    const refused: readonly [name: string, value: string, text: string][] = [
      ['session', '50000', 'Unknown group config name: session'],
      [SESSION, '60001', `${SESSION} must be in the range 45000 to 60000 inclusive.`],
      [
        'streams.num.standby.replicas',
        '3',
        'streams.num.standby.replicas must be less than or equal to 2',
      ],
    ]
    for (const [name, value, text] of refused) {
      assert.deepEqual(await alter(GROUP, 'one', name, value), [INVALID_CONFIG, text])
    }
    assert.equal((await alter(GROUP, 'one', SESSION, 'long'))[0], INVALID_CONFIG)
    assert.equal((await alter(GROUP, '', SESSION, '50000'))[0], INVALID_REQUEST)
  })

  it('must leave a session longer than the interval of heartbeats', async () => {
    const { alter, metadata } = await makeConfigs()
    const name = 'group.consumer.min.session.timeout.ms'
    await metadata.commit([
      { kind: 'configSet', type: BROKER, resourceName: '', name, value: '1000' },
    ])
    const text = `${SESSION} must be greater than consumer.heartbeat.interval.ms`
    assert.deepEqual(await alter(GROUP, 'one', SESSION, '5000'), [ErrorCode.INVALID_CONFIG, text])
    assert.deepEqual(await alter(GROUP, 'one', SESSION, '5001'), [ErrorCode.NONE, null])
  })

  it('show all but the internal ones, and only known names', async () => {
    const { describer } = await makeConfigs()
    const names = describer.group('one', null).map(({ name }) => name)
    assert.ok(names.includes('share.auto.offset.reset'))
    assert.ok(!names.includes('consumer.assignor.offload.enable'))
    assert.deepEqual(describer.group('one', ['nothing']), [])
  })
})
