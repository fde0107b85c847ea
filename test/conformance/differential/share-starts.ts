import { buildBatch } from '../../../src/records/batch-builder.ts'
import { deleteRecordsApi } from '../../../src/wire/kafka/messages/21-delete-records.ts'
import { describeShareGroupOffsetsApi } from '../../../src/wire/kafka/messages/90-describe-share-group-offsets.ts'
import { alterShareGroupOffsetsApi } from '../../../src/wire/kafka/messages/91-alter-share-group-offsets.ts'
import { type Broker, batchOf } from './support/broker.ts'
import type { RawConnection } from './support/raw-connection.ts'
import { differs, type Scenario, scenario } from './support/scenario.ts'
import { configureGroup, type Said, ShareMember } from './support/share-member.ts'
import { TransactionalProducer } from './support/transactions.ts'

const ACCEPT = 1
const HOUR_MS = 3_600_000
const EARLIEST = { 'share.auto.offset.reset': 'earliest' }
const COMMITTED = { ...EARLIEST, 'share.isolation.level': 'read_committed' }

interface Answer {
  readonly errorCode: number
  readonly partitions: readonly {
    readonly errorCode: number
    readonly acquired?: readonly string[]
  }[]
}

/** A group and the topic that it reads, both of one name. */
class Reading {
  readonly #broker: Broker
  readonly #name: string
  readonly #topicId: string
  #member: ShareMember | undefined
  #connection: RawConnection | undefined

  private constructor(broker: Broker, name: string, topicId: string) {
    this.#broker = broker
    this.#name = name
    this.#topicId = topicId
  }

  static async open(broker: Broker, name: string, configs: Readonly<Record<string, string>> = {}) {
    await broker.coordinatorReady(name)
    const kept = { 'message.timestamp.before.max.ms': String(2 ** 50), 'retention.ms': '-1' }
    const topicId = await broker.createTopic(name, { configs: kept })
    if (Object.keys(configs).length > 0) await configureGroup(broker, name, configs)
    return new Reading(broker, name, topicId)
  }

  async join(): Promise<void> {
    this.#connection = await this.#broker.connect()
    const asked = {
      call: this.#connection.call.bind(this.#connection),
      until: this.#broker.until.bind(this.#broker),
    }
    const joining = new ShareMember(asked, this.#name, 'one', this.#topicId)
    await joining.join(this.#name)
    this.#member = joining
  }

  /** The member ends its session and goes; then the group has nobody in it. */
  async leave(hangsUp = true): Promise<void> {
    await this.#joined.acknowledge([], { shareSessionEpoch: -1, topics: [] })
    await this.#joined.beat({ memberEpoch: -1 })
    if (hangsUp) this.#connection?.close()
  }

  async produce(count: number): Promise<void> {
    for (let at = 0; at < count; at++) await this.#broker.produce(this.#name, batchOf(`${at}`))
  }

  /** One fetch, which may get nothing; then what administrators see. */
  async fetch(): Promise<string> {
    return this.#shown(await this.#joined.fetch())
  }

  /** Fetches until records come. */
  async fetchSome(): Promise<string> {
    return this.#shown(await this.#joined.fetchSome())
  }

  async accept(...said: Said): Promise<string> {
    return this.#shown(await this.#joined.acknowledge([said]))
  }

  async #shown({ errorCode, partitions }: Answer): Promise<string> {
    const got = partitions.map((one) =>
      one.errorCode === 0 ? (one.acquired ?? []).join(' ') : `error ${one.errorCode}`,
    )
    const told = errorCode === 0 ? got.join(' ') : `all: error ${errorCode}`
    return `[${told}] ${await this.offsets()}`
  }

  async offsets(): Promise<string> {
    const topics = [{ topicName: this.#name, partitions: [0] }]
    const groups = [{ groupId: this.#name, topics }]
    const answer = await this.#broker.call(describeShareGroupOffsetsApi, 1, { groups })
    const partition = answer.groups[0]?.topics[0]?.partitions[0]
    const errorCode = answer.groups[0]?.errorCode || partition?.errorCode
    if (errorCode) return `error ${errorCode}`
    return `start ${partition?.startOffset}, lag ${partition?.lag}`
  }

  async set(startOffset: number): Promise<string> {
    const topics = [{ topicName: this.#name, partitions: [{ partitionIndex: 0, startOffset }] }]
    const groupId = this.#name
    const answer = await this.#broker.call(alterShareGroupOffsetsApi, 0, { groupId, topics })
    const partition = answer.responses[0]?.partitions[0]
    const errorCode = answer.errorCode || partition?.errorCode || 0
    return `set: ${errorCode}, ${await this.offsets()}`
  }

  async deleteBefore(offset: number): Promise<void> {
    const partitions = [{ partitionIndex: 0, offset }]
    const topics = [{ name: this.#name, partitions }]
    await this.#broker.call(deleteRecordsApi, 2, { topics, timeoutMs: 5000 })
  }

  get #joined(): ShareMember {
    if (this.#member === undefined) throw new Error('nobody joined')
    return this.#member
  }
}

type Run = (broker: Broker) => Promise<unknown>

/** Records of 4, 3 and 1 hours ago, and then one of now. */
const byDuration =
  (name: string, duration: string): Run =>
  async (broker) => {
    const reset = { 'share.auto.offset.reset': `by_duration:${duration}` }
    const reading = await Reading.open(broker, name, reset)
    for (const hours of [4, 3, 1]) {
      const timestamp = Date.now() - hours * HOUR_MS
      await broker.produce(name, buildBatch([{ timestamp, value: Buffer.from(`${hours} h`) }]))
    }
    await reading.join()
    const first = await reading.fetch()
    await reading.produce(1)
    return [first, await reading.fetch()]
  }

/** Of five records, three are finished when the start is set back among them. */
const setAgain =
  (name: string, hangsUp: boolean): Run =>
  async (broker) => {
    const reading = await Reading.open(broker, name, EARLIEST)
    await reading.produce(5)
    await reading.join()
    const seen = [await reading.fetchSome(), await reading.accept(1, 3, ACCEPT)]
    seen.push(await reading.set(0))
    await reading.leave(hangsUp)
    seen.push(await reading.set(1))
    await reading.join()
    return [...seen, await reading.fetchSome(), await reading.accept(1, 4, ACCEPT)]
  }

const resets: readonly Scenario[] = [
  scenario(
    'a group reads what comes after it began, unless it is told otherwise',
    async (broker) => {
      const reading = await Reading.open(broker, 'sr-default')
      await reading.produce(3)
      const seen: unknown[] = [await reading.offsets()]
      await reading.join()
      seen.push(await reading.offsets(), await reading.fetch(), await reading.fetch())
      await reading.produce(2)
      seen.push(
        await reading.offsets(),
        await reading.fetchSome(),
        await reading.accept(3, 3, ACCEPT),
      )
      await reading.leave()
      await reading.produce(1)
      await reading.join()
      return [...seen, await reading.offsets(), await reading.fetchSome()]
    },
  ),
  scenario(
    'what came between joining and the first fetch is not read with latest',
    async (broker) => {
      const reading = await Reading.open(broker, 'sr-between', {
        'share.auto.offset.reset': 'latest',
      })
      await reading.produce(1)
      await reading.join()
      await reading.produce(2)
      const first = await reading.fetch()
      await reading.produce(1)
      return [first, await reading.fetchSome()]
    },
  ),
  scenario('earliest begins at the start of the log', async (broker) => {
    const reading = await Reading.open(broker, 'sr-first', EARLIEST)
    await reading.produce(4)
    await reading.deleteBefore(2)
    await reading.join()
    const seen = [await reading.offsets(), await reading.fetchSome()]
    return [...seen, await reading.accept(2, 2, ACCEPT)]
  }),
  scenario('by_duration begins at a time before all records', byDuration('sr-long', 'PT5H')),
  scenario('by_duration begins at a time between records', byDuration('sr-middle', 'PT2H')),
  differs(
    'by_duration after the newest record begins at the end of the log',
    ['[] start -1, lag -1', '[3-3 x1] start -1, lag -1'],
    byDuration('sr-short', 'PT30M'),
  ),
]

const altered: readonly Scenario[] = [
  ...[
    ['within the log', 'sr-set-within', 3],
    ['before the log', 'sr-set-before', 0],
    ['behind the log', 'sr-set-behind', 100],
    ['of -1', 'sr-set-none', -1],
    ['of -2', 'sr-set-earliest', -2],
  ].map(([where, name, startOffset]) =>
    scenario(
      `a start that an administrator set ${where}, and where reading begins`,
      async (broker) => {
        const reading = await Reading.open(broker, name as string, EARLIEST)
        await reading.produce(5)
        await reading.deleteBefore(2)
        const set = await reading.set(startOffset as number)
        await reading.join()
        // Kafka finds out with the first fetch that the log begins later, and gives nothing then.
        const isBehind = (startOffset as number) > 5
        const read = () => (isBehind ? reading.fetch() : reading.fetchSome())
        const fetched = await read()
        await reading.produce(1)
        return [set, fetched, await read()]
      },
    ),
  ),
  scenario('a start that is set again is where reading begins', setAgain('sr-again', true)),
  differs(
    'a start that is set again holds though the client of a member that left is still connected',
    [
      '[0-4 x1] start -1, lag -1',
      '[] start 0, lag 2',
      'set: 68, start 0, lag 2',
      'set: 0, start 1, lag 4',
      '[1-4 x1] start 1, lag 4',
      '[] start 1, lag 0',
    ],
    setAgain('sr-connected', false),
  ),
]

const nothingToDeliver: readonly Scenario[] = [
  differs(
    'a group that read to the first record after aborted ones begins there',
    ['start -1, lag -1', '[2-4 x1] start -1, lag -1', '[] start 2, lag 2', '[] start 2, lag 1'],
    async (broker) => {
      const reading = await Reading.open(broker, 'sr-aborted', COMMITTED)
      const producer = await TransactionalProducer.open(broker, 'sr-aborted')
      await producer.initFully()
      for (const value of ['one', 'two']) await producer.produce('sr-aborted', value)
      await producer.end(false)
      await producer.ended()
      await reading.produce(2)
      await reading.join()
      const seen = [await reading.offsets(), await reading.fetchSome()]
      return [...seen, await reading.accept(3, 3, ACCEPT), await reading.accept(4, 4, ACCEPT)]
    },
  ),
  scenario('where a group goes on when aborted records follow', async (broker) => {
    const reading = await Reading.open(broker, 'sr-aborted-later', COMMITTED)
    await reading.produce(1)
    const producer = await TransactionalProducer.open(broker, 'sr-aborted-later')
    await producer.initFully()
    for (const value of ['one', 'two']) await producer.produce('sr-aborted-later', value)
    await producer.end(false)
    await producer.ended()
    await reading.join()
    const seen = [await reading.fetchSome(), await reading.accept(0, 0, ACCEPT)]
    seen.push(await reading.fetch())
    await reading.produce(1)
    return [...seen, await reading.fetchSome(), await reading.accept(4, 4, ACCEPT)]
  }),
  differs(
    'a group begins no earlier than the log, also while a member has records before that',
    [
      '[0-3 x1] start -1, lag -1',
      'start -1, lag -1',
      '[] start -1, lag -1',
      '[] start 2, lag 1',
      '[] start 2, lag 0',
    ],
    async (broker) => {
      const reading = await Reading.open(broker, 'sr-cut', EARLIEST)
      await reading.produce(4)
      await reading.join()
      const seen: unknown[] = [await reading.fetchSome()]
      await reading.deleteBefore(2)
      seen.push(await reading.offsets(), await reading.fetch())
      return [...seen, await reading.accept(3, 3, ACCEPT), await reading.accept(2, 2, ACCEPT)]
    },
  ),
]

export const shareStarts: readonly Scenario[] = [...resets, ...altered, ...nothingToDeliver]
