import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { buildBatch } from '../../src/records/batch-builder.ts'
import { produceApi } from '../../src/wire/kafka/messages/00-produce.ts'
import { metadataApi } from '../../src/wire/kafka/messages/03-metadata.ts'
import { findCoordinatorApi } from '../../src/wire/kafka/messages/10-find-coordinator.ts'
import { createTopicsApi } from '../../src/wire/kafka/messages/19-create-topics.ts'
import { incrementalAlterConfigsApi } from '../../src/wire/kafka/messages/44-incremental-alter-configs.ts'
import { shareGroupHeartbeatApi } from '../../src/wire/kafka/messages/76-share-group-heartbeat.ts'
import { shareFetchApi } from '../../src/wire/kafka/messages/78-share-fetch.ts'
import { shareAcknowledgeApi } from '../../src/wire/kafka/messages/79-share-acknowledge.ts'
import { KafkaConnection } from '../support/kafka-connection.ts'
import {
  cleanUp,
  endOf,
  newDirectory,
  runSpool,
  type Server,
  serve,
  stop,
} from './spool-process.ts'

after(cleanUp)

const TOPIC = 'jobs'
const GROUP = 'workers'
const RECORD_COUNT = 600
const KILL_ROUNDS = 4
const ACCEPT = 1
const RELEASE = 2
const LOADING: readonly number[] = [14, 15, 16]
const SETTLE_MS = 20_000

/** What is known of one record: told by answers, so that it must hold whatever happens. */
interface Fate {
  isAccepted: boolean
  /** A request to accept it had no answer: it may be accepted, or not. */
  isUnsure: boolean
  /** Deliveries that a release made durable. */
  releasedCount: number
}

async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  const end = performance.now() + SETTLE_MS
  while (performance.now() < end) {
    const found = await look()
    if (found !== undefined) return found
    await delay(20)
  }
  throw new Error(`${what}: not within ${SETTLE_MS} ms`)
}

async function prepare({ bootstrap }: Server): Promise<string> {
  const connection = await KafkaConnection.open(bootstrap)
  await connection.call(createTopicsApi, 7, {
    topics: [{ name: TOPIC, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }],
  })
  const config = { name: 'share.auto.offset.reset', configOperation: 0, value: 'earliest' }
  await connection.call(incrementalAlterConfigsApi, 1, {
    resources: [{ resourceType: 32, resourceName: GROUP, configs: [config] }],
    validateOnly: false,
  })
  const topicId = await until('the topic', async () => {
    const answer = await connection.call(metadataApi, 12, {
      topics: [{ name: TOPIC }],
      allowAutoTopicCreation: false,
      includeTopicAuthorizedOperations: false,
    })
    return answer.topics[0]?.errorCode === 0 ? answer.topics[0].topicId : undefined
  })
  const timestamp = Date.now()
  for (let first = 0; first < RECORD_COUNT; first += 10) {
    const values = Array.from({ length: 10 }, (_, at) => Buffer.from(`job ${first + at}`))
    const records = buildBatch(values.map((value) => ({ timestamp, value })))
    await connection.call(produceApi, 9, {
      acks: -1,
      timeoutMs: 10_000,
      topicData: [{ name: TOPIC, partitionData: [{ index: 0, records }] }],
    })
  }
  await connection.close()
  return topicId
}

/** A member that works until its connection breaks, and writes down what it was told. */
class Worker {
  readonly #connection: KafkaConnection
  readonly #fates: readonly Fate[]
  readonly #topicId: string
  readonly #memberId: string
  #epoch = 0
  /** Some records are released instead, each time a different part. */
  readonly #releaseRest: number

  constructor(
    connection: KafkaConnection,
    topicId: string,
    fates: readonly Fate[],
    memberId: string,
    releaseRest: number,
  ) {
    this.#connection = connection
    this.#topicId = topicId
    this.#fates = fates
    this.#memberId = memberId
    this.#releaseRest = releaseRest
  }

  async join(): Promise<void> {
    await until('the group coordinator', async () => {
      const { errorCode } = await this.#connection.call(findCoordinatorApi, 3, { key: GROUP })
      return errorCode === 0 ? true : undefined
    })
    let memberEpoch = 0
    await until('partitions', async () => {
      const answer = await this.#connection.call(shareGroupHeartbeatApi, 1, {
        groupId: GROUP,
        memberId: this.#memberId,
        memberEpoch,
        rackId: null,
        subscribedTopicNames: [TOPIC],
      })
      if (LOADING.includes(answer.errorCode)) return undefined
      assert.equal(answer.errorCode, 0)
      memberEpoch = answer.memberEpoch
      return (answer.assignment?.topicPartitions.length ?? 0) > 0 ? true : undefined
    })
  }

  /** One fetch and one acknowledgement. @returns records that it got */
  async work(): Promise<number> {
    const offsets = await this.#fetch()
    if (offsets.length === 0) return 0
    const types = offsets.map((offset) => this.#typeFor(offset))
    for (const [index, offset] of offsets.entries()) {
      if (types[index] === ACCEPT) (this.#fates[offset] as Fate).isUnsure = true
    }
    const acknowledgementBatches = offsets.map((offset, index) => ({
      ...{ firstOffset: offset, lastOffset: offset },
      acknowledgeTypes: [types[index] as number],
    }))
    const answer = await this.#connection.call(shareAcknowledgeApi, 2, {
      groupId: GROUP,
      memberId: this.#memberId,
      shareSessionEpoch: this.#epoch++,
      topics: [
        { topicId: this.#topicId, partitions: [{ partitionIndex: 0, acknowledgementBatches }] },
      ],
    })
    assert.equal(answer.errorCode, 0)
    assert.equal(answer.responses[0]?.partitions[0]?.errorCode, 0)
    for (const [index, offset] of offsets.entries()) {
      const fate = this.#fates[offset] as Fate
      if (types[index] === ACCEPT) fate.isAccepted = true
      else fate.releasedCount++
    }
    return offsets.length
  }

  async #fetch(): Promise<number[]> {
    const answer = await this.#connection.call(shareFetchApi, 2, {
      groupId: GROUP,
      memberId: this.#memberId,
      shareSessionEpoch: this.#epoch,
      maxWaitMs: 100,
      minBytes: 1,
      maxBytes: 100_000,
      maxRecords: 15,
      batchSize: 15,
      topics:
        this.#epoch === 0
          ? [
              {
                topicId: this.#topicId,
                partitions: [{ partitionIndex: 0, acknowledgementBatches: [] }],
              },
            ]
          : [],
      forgottenTopicsData: [],
    })
    assert.equal(answer.errorCode, 0)
    this.#epoch++
    const offsets: number[] = []
    for (const { errorCode, acquiredRecords } of answer.responses[0]?.partitions ?? []) {
      assert.equal(errorCode, 0)
      for (const { firstOffset, lastOffset, deliveryCount } of acquiredRecords) {
        for (let offset = firstOffset; offset <= lastOffset; offset++) {
          this.#check(offset, deliveryCount)
          offsets.push(offset)
        }
      }
    }
    return offsets
  }

  #check(offset: number, deliveryCount: number): void {
    const fate = this.#fates[offset] as Fate
    assert.equal(fate.isAccepted, false, `${offset} was accepted and comes again`)
    // A delivery that nobody answered for leaves no trace after a crash.
    const least = fate.releasedCount + 1
    assert.ok(deliveryCount >= least, `${offset} has count ${deliveryCount}, not ${least}`)
    assert.ok(deliveryCount <= least + KILL_ROUNDS, `${offset} has count ${deliveryCount}`)
    // What was sent before a crash without an answer was not kept, or it would not be here.
    fate.isUnsure = false
  }

  #typeFor(offset: number): number {
    const { releasedCount } = this.#fates[offset] as Fate
    return releasedCount === 0 && offset % 7 === this.#releaseRest ? RELEASE : ACCEPT
  }
}

describe('share groups through kill -9 (KIP-932)', () => {
  it('deliver nothing again that was accepted, and all the rest with the right count', async () => {
    const directory = newDirectory()
    const fates = Array.from({ length: RECORD_COUNT }, (): Fate => {
      return { isAccepted: false, isUnsure: false, releasedCount: 0 }
    })
    let server = await serve(directory)
    const topicId = await prepare(server)
    for (let round = 0; round < KILL_ROUNDS; round++) {
      const connection = await KafkaConnection.open(server.bootstrap)
      const worker = new Worker(connection, topicId, fates, `worker-${round}`, round)
      await worker.join()
      for (let turn = 0; turn < 5; turn++) await worker.work()
      const ended = endOf(server.child)
      const lost = worker.work().catch(() => 0)
      server.child.kill('SIGKILL')
      await Promise.all([lost, ended])
      server = await serve(directory)
    }
    const connection = await KafkaConnection.open(server.bootstrap)
    const last = new Worker(connection, topicId, fates, 'last', -1)
    await last.join()
    for (let idle = 0; idle < 3; ) idle = (await last.work()) === 0 ? idle + 1 : 0
    await connection.close()
    const open = fates.filter(({ isAccepted, isUnsure }) => !isAccepted && !isUnsure)
    assert.equal(open.length, 0, 'every record was delivered until it was accepted')
  })
})

describe('spool group, of a share group', () => {
  it('shows its members with the partitions that they read', async () => {
    const server = await serve(newDirectory())
    const topicId = await prepare(server)
    const connection = await KafkaConnection.open(server.bootstrap)
    await new Worker(connection, topicId, [], 'worker', 0).join()
    const described = await runSpool('group', 'describe', GROUP, '-b', server.bootstrap)
    assert.equal(described.code, 0, described.stderr)
    assert.match(described.stdout, /^workers: Stable, share protocol$/m)
    assert.match(described.stdout, /^worker\s.*jobs: 0$/m)
    const listed = await runSpool('group', 'list', '-b', server.bootstrap)
    assert.match(listed.stdout, /^workers\s+share\s+Stable\s+1$/m)
    await connection.close()
    assert.equal(await stop(server), 0)
  })
})
