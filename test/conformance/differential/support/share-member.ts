import type { Decoded, Encodable } from '../../../../src/wire/kafka/codec.ts'
import { incrementalAlterConfigsApi } from '../../../../src/wire/kafka/messages/44-incremental-alter-configs.ts'
import { shareGroupHeartbeatApi } from '../../../../src/wire/kafka/messages/76-share-group-heartbeat.ts'
import { shareFetchApi } from '../../../../src/wire/kafka/messages/78-share-fetch.ts'
import { shareAcknowledgeApi } from '../../../../src/wire/kafka/messages/79-share-acknowledge.ts'
import type { Broker } from './broker.ts'

type FetchRequest = Partial<Encodable<typeof shareFetchApi.request>>
type FetchAnswer = Decoded<typeof shareFetchApi.response>

/** Offsets from, to, and what is said of them: one type for all, or one for each. */
export type Said = readonly [firstOffset: number, lastOffset: number, ...types: number[]]

const GROUP_RESOURCE = 32

/** Sets configs of a share group, and waits until the broker goes by them. */
export async function configureGroup(
  broker: Broker,
  groupId: string,
  configs: Readonly<Record<string, string>>,
): Promise<void> {
  const changes = Object.entries(configs).map(([name, value]) => ({
    ...{ name, configOperation: 0, value },
  }))
  const resource = { resourceType: GROUP_RESOURCE, resourceName: groupId, configs: changes }
  await broker.call(incrementalAlterConfigsApi, 1, { resources: [resource], validateOnly: false })
}

/** Whom a member asks: the broker on its common connection, or on one of the member's own. */
type Asked = Pick<Broker, 'call' | 'until'>

/** One member of a share group that reads one topic. */
export class ShareMember {
  readonly #broker: Asked
  readonly groupId: string
  readonly memberId: string
  readonly #topicId: string
  memberEpoch = 0
  sessionEpoch = 0

  constructor(broker: Asked, groupId: string, memberId: string, topicId: string) {
    this.#broker = broker
    this.groupId = groupId
    this.memberId = memberId
    this.#topicId = topicId
  }

  async beat(changes: Partial<Encodable<typeof shareGroupHeartbeatApi.request>> = {}) {
    const answer = await this.#broker.call(shareGroupHeartbeatApi, 1, {
      groupId: this.groupId,
      memberId: this.memberId,
      memberEpoch: this.memberEpoch,
      rackId: null,
      subscribedTopicNames: null,
      ...changes,
    })
    if (answer.errorCode === 0) this.memberEpoch = answer.memberEpoch
    return answer
  }

  /** Joins, and beats until it has so many partitions of the topic. */
  async join(topic: string, partitionCount = 1): Promise<void> {
    let answer = await this.beat({ subscribedTopicNames: [topic] })
    await this.#broker.until(`partitions of ${topic}`, async () => {
      const count = answer.assignment?.topicPartitions[0]?.partitions.length ?? 0
      if (count === partitionCount) return true
      answer = await this.beat({ subscribedTopicNames: [topic] })
      return undefined
    })
  }

  /** One ShareFetch of partition 0, in its session. */
  async fetch(changes: FetchRequest = {}, said: readonly Said[] = []) {
    const answer = await this.#broker.call(shareFetchApi, 2, {
      groupId: this.groupId,
      memberId: this.memberId,
      shareSessionEpoch: this.sessionEpoch,
      maxWaitMs: 500,
      minBytes: 1,
      maxBytes: 1_000_000,
      maxRecords: 500,
      batchSize: 500,
      topics: this.#topics(said),
      forgottenTopicsData: [],
      ...changes,
    })
    if (answer.errorCode === 0) this.sessionEpoch++
    return shown(answer)
  }

  /** Fetches until records come. */
  async fetchSome(changes: FetchRequest = {}) {
    return this.#broker.until('records', async () => {
      const answer = await this.fetch(changes)
      const [partition] = answer.partitions
      const hasNews = partition !== undefined && partition.acquired.length > 0
      return answer.errorCode !== 0 || hasNews ? answer : undefined
    })
  }

  async acknowledge(said: readonly Said[], changes: object = {}) {
    const answer = await this.#broker.call(shareAcknowledgeApi, 2, {
      groupId: this.groupId,
      memberId: this.memberId,
      shareSessionEpoch: this.sessionEpoch,
      isRenewAck: false,
      topics: this.#topics(said),
      ...changes,
    })
    if (answer.errorCode === 0) this.sessionEpoch++
    const { errorCode, errorMessage, responses, acquisitionLockTimeoutMs } = answer
    const partitions = responses.flatMap((topic) => topic.partitions)
    return { errorCode, errorMessage, acquisitionLockTimeoutMs, partitions }
  }

  #topics(said: readonly Said[]) {
    const acknowledgementBatches = said.map(([firstOffset, lastOffset, ...types]) => ({
      ...{ firstOffset, lastOffset, acknowledgeTypes: types },
    }))
    const partitions = [{ partitionIndex: 0, acknowledgementBatches }]
    return [{ topicId: this.#topicId, partitions }]
  }
}

/** What members look at in an answer. */
function shown({ errorCode, errorMessage, acquisitionLockTimeoutMs, responses }: FetchAnswer) {
  const partitions = responses.flatMap((topic) =>
    topic.partitions.map((partition) => ({
      partitionIndex: partition.partitionIndex,
      errorCode: partition.errorCode,
      acknowledgeErrorCode: partition.acknowledgeErrorCode,
      acknowledgeErrorMessage: partition.acknowledgeErrorMessage,
      acquired: partition.acquiredRecords.map(
        ({ firstOffset, lastOffset, deliveryCount }) =>
          `${firstOffset}-${lastOffset} x${deliveryCount}`,
      ),
      hasRecords: partition.records.length > 0,
    })),
  )
  return { errorCode, errorMessage, acquisitionLockTimeoutMs, partitions }
}
