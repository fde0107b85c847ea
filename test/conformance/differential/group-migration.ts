import { describeGroupsApi } from '../../../src/wire/kafka/messages/15-describe-groups.ts'
import { listGroupsApi } from '../../../src/wire/kafka/messages/16-list-groups.ts'
import { prepareTopic } from './consumer-groups.ts'
import type { Broker } from './support/broker.ts'
import { ClassicConsumer, Consumer } from './support/consumer.ts'
import { type Scenario, scenario } from './support/scenario.ts'

/** A classic consumer that has all three partitions. */
async function classic(
  broker: Broker,
  groupId: string,
  groupInstanceId: string | null = null,
): Promise<ClassicConsumer> {
  await prepareTopic(broker, groupId)
  const consumer = new ClassicConsumer(broker, groupId, groupInstanceId)
  // The very first group of a broker may still be loading.
  await broker.until('the classic member', async () =>
    (await consumer.join()).errorCode === 0 ? true : undefined,
  )
  await consumer.sync([0, 1, 2])
  return consumer
}

const describeClassic = (broker: Broker, groupId: string) =>
  broker.call(describeGroupsApi, 6, { groups: [groupId] })

async function typeOf(broker: Broker, groupId: string) {
  const answer = await broker.call(listGroupsApi, 5, { statesFilter: [], typesFilter: [] })
  return answer.groups.filter((group) => group.groupId === groupId)
}

/** Both members, until each has its share; the classic one joins when it is told to. */
async function share(broker: Broker, old: ClassicConsumer, next: Consumer): Promise<void> {
  await broker.until('a share for both', async () => {
    await next.beat()
    if ((await old.heartbeat()) === 27) {
      await old.join()
      await old.sync()
    }
    const oldCount = old.owned.reduce((sum, { partitions }) => sum + partitions.length, 0)
    return oldCount + next.count === 3 && next.count > 0 ? true : undefined
  })
}

export const groupMigration: readonly Scenario[] = [
  scenario('a consumer that joins makes a classic group into a consumer group', async (broker) => {
    await classic(broker, 'mg-up')
    const next = new Consumer(broker, 'mg-up', 'next')
    const joined = await next.join()
    return [joined, await typeOf(broker, 'mg-up'), await next.describe(), await next.describe(0)]
  }),
  scenario(
    'the classic member learns of its smaller share by heartbeat and join',
    async (broker) => {
      const old = await classic(broker, 'mg-share')
      const next = new Consumer(broker, 'mg-share', 'next')
      await next.join()
      const told = await broker.until('a rebalance for the classic member', async () => {
        await next.beat()
        const errorCode = await old.heartbeat()
        return errorCode === 27 ? errorCode : undefined
      })
      const rejoined = await old.join()
      const synced = await old.sync()
      await share(broker, old, next)
      return [told, rejoined, synced, old.owned, next.count, await old.heartbeat()]
    },
  ),
  scenario('the group is classic again when the last new consumer leaves', async (broker) => {
    const old = await classic(broker, 'mg-down')
    const next = new Consumer(broker, 'mg-down', 'next')
    await next.join()
    await share(broker, old, next)
    const left = await next.leave()
    const listed = await typeOf(broker, 'mg-down')
    const heartbeat = await old.heartbeat()
    const rejoined = await old.join()
    const synced = await old.sync([0, 1, 2])
    return [left, listed, heartbeat, rejoined, synced, await old.heartbeat()]
  }),
  scenario('a classic consumer joins a consumer group', async (broker) => {
    await prepareTopic(broker, 'mg-join')
    const next = new Consumer(broker, 'mg-join', 'next')
    await next.join()
    await next.until(3)
    const old = new ClassicConsumer(broker, 'mg-join')
    const joined = await old.join()
    const synced = await old.sync()
    await share(broker, old, next)
    const wrongSync = await new ClassicConsumer(broker, 'mg-join').sync()
    return [joined, synced, old.owned, wrongSync, await next.describe(), await old.leave()]
  }),
  scenario('a static member changes its protocol, there and back', async (broker) => {
    const old = await classic(broker, 'mg-static', 'i1')
    const next = new Consumer(broker, 'mg-static', 'next', { instanceId: 'i1' })
    const joined = await next.join()
    const count = await next.until(3)
    const fenced = await old.heartbeat()
    await next.leave(-2)
    const back = new ClassicConsumer(broker, 'mg-static', 'i1')
    const rejoined = await back.join()
    const synced = await back.sync()
    const described = await describeClassic(broker, 'mg-static')
    const state = described.groups[0]?.groupState
    return [joined, count, fenced, rejoined, synced, state, await typeOf(broker, 'mg-static')]
  }),
  scenario('a classic consumer takes an empty consumer group over', async (broker) => {
    await prepareTopic(broker, 'mg-empty')
    const next = new Consumer(broker, 'mg-empty', 'next')
    await next.join()
    await next.leave()
    const before = await typeOf(broker, 'mg-empty')
    const old = new ClassicConsumer(broker, 'mg-empty')
    const joined = await old.join()
    return [before, joined, await typeOf(broker, 'mg-empty')]
  }),
  scenario('a new consumer takes an empty classic group over', async (broker) => {
    const old = await classic(broker, 'mg-over')
    await old.leave()
    const next = new Consumer(broker, 'mg-over', 'next')
    return [
      await next.join(),
      await typeOf(broker, 'mg-over'),
      await describeClassic(broker, 'mg-over'),
    ]
  }),
]
