import { describeConfigsApi } from '../../../src/wire/kafka/messages/32-describe-configs.ts'
import { alterConfigsApi } from '../../../src/wire/kafka/messages/33-alter-configs.ts'
import { incrementalAlterConfigsApi } from '../../../src/wire/kafka/messages/44-incremental-alter-configs.ts'
import { listConfigResourcesApi } from '../../../src/wire/kafka/messages/74-list-config-resources.ts'
import { prepareTopic } from './consumer-groups.ts'
import type { Broker } from './support/broker.ts'
import { Consumer } from './support/consumer.ts'
import { type Scenario, scenario } from './support/scenario.ts'

const GROUP = 32
const SET = 0
const DELETE = 1
const APPEND = 2

/** IncrementalAlterConfigs of one config of a group. */
async function alter(
  broker: Broker,
  groupId: string,
  name: string,
  value: string | null,
  configOperation = SET,
) {
  const configs = [{ name, configOperation, value }]
  return broker.call(incrementalAlterConfigsApi, 1, {
    resources: [{ resourceType: GROUP, resourceName: groupId, configs }],
    validateOnly: false,
  })
}

/** Without Spool's silence about documentation. */
async function describe(broker: Broker, groupId: string, keys: string[] | null = null) {
  const answer = await broker.call(describeConfigsApi, 4, {
    resources: [{ resourceType: GROUP, resourceName: groupId, configurationKeys: keys }],
    includeSynonyms: true,
    includeDocumentation: false,
  })
  return answer.results
}

const SESSION = 'consumer.session.timeout.ms'
const HEARTBEAT = 'consumer.heartbeat.interval.ms'

export const groupConfigs: readonly Scenario[] = [
  scenario('DescribeConfigs shows all configs of a group, with their defaults', (broker) =>
    describe(broker, 'gc-defaults'),
  ),
  scenario('an empty group name can be neither described nor altered', async (broker) => [
    await describe(broker, ''),
    await alter(broker, '', SESSION, '50000'),
  ]),
  scenario(
    'a config that was set is shown with its source, until it is deleted',
    async (broker) => {
      const set = await alter(broker, 'gc-set', SESSION, '50000')
      const shown = await broker.until('the value', async () => {
        const [result] = await describe(broker, 'gc-set', [SESSION, HEARTBEAT, 'nothing'])
        const found = result?.configs.find(({ name }) => name === SESSION)
        return found?.value === '50000' ? result : undefined
      })
      const listed = await broker.call(listConfigResourcesApi, 1, { resourceTypes: [GROUP] })
      const isListed = listed.configResources.some(({ resourceName }) => resourceName === 'gc-set')
      const deleted = await alter(broker, 'gc-set', SESSION, null, DELETE)
      await broker.until('the default', async () => {
        const [result] = await describe(broker, 'gc-set', [SESSION])
        return result?.configs[0]?.value === '45000' ? true : undefined
      })
      return [set, shown, isListed, deleted]
    },
  ),
  ...[
    ['an unknown name', 'consumer.session', '50000'],
    ['text for a number', SESSION, 'long'],
    ['a number below its range', SESSION, '0'],
    ["less than the broker's minimum", SESSION, '1000'],
    ["more than the broker's maximum", SESSION, '60001'],
    ['a heartbeat interval that is too long', HEARTBEAT, '15001'],
    ['an assignment interval that is too long', 'consumer.assignment.interval.ms', '15001'],
    ['few locks', 'share.partition.max.record.locks', '99'],
    ['an unknown reset', 'share.auto.offset.reset', 'never'],
    ['an unknown isolation level', 'share.isolation.level', 'none'],
    ['many standby replicas', 'streams.num.standby.replicas', '3'],
    ['an assignor that there is not', 'streams.assignor.name', 'mine'],
    ['the same tag twice', 'streams.rack.aware.assignment.tags', 'a,a'],
    ['an internal topic for dead letters', 'errors.deadletterqueue.topic.name', '__x'],
    ['text for a boolean', 'share.renew.acknowledge.enable', 'perhaps'],
  ].map(([what = '', name = '', value = '']) =>
    scenario(`IncrementalAlterConfigs of a group refuses ${what}`, (broker) =>
      alter(broker, 'gc-refused', name, value),
    ),
  ),
  scenario('values within their range are taken', async (broker) => [
    await alter(broker, 'gc-taken', 'share.auto.offset.reset', 'by_duration:PT1H'),
    await alter(broker, 'gc-taken', 'share.isolation.level', 'read_committed'),
    await alter(broker, 'gc-taken', 'streams.rack.aware.assignment.tags', 'a,b'),
    await alter(broker, 'gc-taken', 'streams.rack.aware.assignment.tags', 'c', APPEND),
    await alter(broker, 'gc-taken', SESSION, '1', APPEND),
    await alter(broker, 'gc-taken', 'consumer.assignor.offload.enable', 'false'),
  ]),
  scenario('AlterConfigs replaces what was set', async (broker) => {
    await alter(broker, 'gc-replace', SESSION, '50000')
    const configs = [{ name: HEARTBEAT, value: '6000' }]
    const replaced = await broker.call(alterConfigsApi, 2, {
      resources: [{ resourceType: GROUP, resourceName: 'gc-replace', configs }],
      validateOnly: false,
    })
    const shown = await broker.until('the values', async () => {
      const [result] = await describe(broker, 'gc-replace', [SESSION, HEARTBEAT])
      const found = result?.configs.find(({ name }) => name === HEARTBEAT)
      return found?.value === '6000' ? result : undefined
    })
    return [replaced, shown]
  }),
  scenario('the heartbeat interval of a group is told to its members', async (broker) => {
    await prepareTopic(broker, 'gc-beat')
    await alter(broker, 'gc-beat', HEARTBEAT, '7000')
    const consumer = new Consumer(broker, 'gc-beat', 'one')
    await consumer.join()
    return broker.until('the interval', async () => {
      const { heartbeatIntervalMs } = await consumer.beat()
      return heartbeatIntervalMs === 7000 ? heartbeatIntervalMs : undefined
    })
  }),
]
