import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Kafka, logLevel } from 'kafkajs'
import { Codec } from '../../src/records/record-batch.ts'
import { createTopicsApi } from '../../src/wire/kafka/messages/19-create-topics.ts'
import { startTarget, type Target } from '../conformance/target.ts'
import { untilServing } from '../support/end-offset.ts'
import { KafkaConnection } from '../support/kafka-connection.ts'
import { LoadProducer, type ProducerKind } from './producer.ts'
import { SeededRandom } from './random.ts'
import { SmallDisk } from './small-disk.ts'
import { verifyTopic } from './verify.ts'

const MIB = 1024 * 1024
const DISK_BYTES = 96 * MIB
const BALLAST_BYTES = 76 * MIB
const PARTITION_COUNT = 2
const TOPIC = 'full'
const PRODUCERS: readonly ProducerKind[] = ['all', 'idempotent', 'all', 'idempotent']
const LOAD_MS = 300

/** A broker on a small disk, and clients that remember what it acknowledged. */
class FullDiskRun {
  readonly #disk: SmallDisk
  readonly #producers: readonly LoadProducer[]
  readonly #connections: KafkaConnection[] = []
  #target: Target | undefined

  constructor(disk: SmallDisk, seed: number) {
    this.#disk = disk
    this.#producers = PRODUCERS.map((kind, index) => {
      const options = {
        index,
        kind,
        topic: TOPIC,
        partitionCount: PARTITION_COUNT,
        window: 1,
        codec: Codec.NONE,
        maxRecordCount: 20,
        maxValueBytes: 8000,
        mayForgetOldBatches: false,
        mayBeRefused: true,
      }
      return new LoadProducer(options, new SeededRandom(seed + index))
    })
  }

  get bootstrap(): string {
    return this.#target?.bootstrap ?? ''
  }

  async start(): Promise<void> {
    const directory = join(this.#disk.directory, 'data')
    this.#target = await startTarget('spool', { directory, wrapper: this.#disk.wrapper })
  }

  async prepare(): Promise<void> {
    assert.equal(await this.createTopic(TOPIC, PARTITION_COUNT), 0)
    const connection = await this.connect()
    await untilServing(connection, TOPIC, PARTITION_COUNT)
    for (const producer of this.#producers) await producer.initialize(connection)
  }

  /** @returns the error code of CreateTopics */
  async createTopic(name: string, partitionCount: number): Promise<number | undefined> {
    const configs = [{ name: 'segment.bytes', value: String(MIB) }]
    const topic = { name, numPartitions: partitionCount, replicationFactor: 1 }
    const connection = await this.connect()
    const answer = await connection.call(createTopicsApi, 5, {
      topics: [{ ...topic, assignments: [], configs }],
    })
    return answer.topics[0]?.errorCode
  }

  async connect(): Promise<KafkaConnection> {
    const connection = await KafkaConnection.open(this.bootstrap)
    this.#connections.push(connection)
    return connection
  }

  /** Until the disk has refused each producer, or the broker was killed. */
  async load(): Promise<void> {
    await Promise.all(this.#producers.map(async (each) => each.run(await this.connect())))
    this.#failOnProblems()
  }

  /** Sends again what was refused and what a kill left unanswered. */
  async finish(): Promise<void> {
    for (const producer of this.#producers) producer.stop()
    await this.load()
  }

  async kill(): Promise<void> {
    await this.#target?.kill()
  }

  async shutdown(): Promise<number | null> {
    return (await this.#target?.shutdown()) ?? null
  }

  get refusedCount(): number {
    return this.#producers.reduce((sum, { refusedCount }) => sum + refusedCount, 0)
  }

  get ackedCount(): number {
    const batches = this.#producers.flatMap((producer) => producer.batches)
    return batches.filter(({ ackedOffset }) => ackedOffset >= 0).length
  }

  /** Reads all of the topic and compares it with what was acknowledged. */
  async verify(isFinished: boolean): Promise<void> {
    const problems = await verifyTopic(await this.connect(), TOPIC, this.#producers)
    const real = problems.filter((text) => isFinished || !text.includes('never acknowledged'))
    assert.deepEqual(real, [])
  }

  async end(): Promise<void> {
    await Promise.all(this.#connections.map((connection) => connection.close()))
    await this.kill()
  }

  #failOnProblems(): void {
    assert.deepEqual(
      this.#producers.flatMap(({ problems }) => problems),
      [],
    )
  }
}

/** Skips the test, with the reason, on a system that lets nobody mount anything. */
async function onSmallDisk(
  context: TestContext,
  work: (run: FullDiskRun, disk: SmallDisk) => Promise<void>,
): Promise<void> {
  const disk = await SmallDisk.mount(DISK_BYTES).catch((error: Error) => {
    context.skip(`no small disk here: ${error.message}`)
  })
  if (disk === undefined) return
  const run = new FullDiskRun(disk, randomInt(1_000_000))
  try {
    await disk.take(BALLAST_BYTES)
    await run.start()
    await run.prepare()
    await run.load()
    assert.ok(run.refusedCount >= PRODUCERS.length, 'the disk refused each producer')
    await work(run, disk)
  } finally {
    await run.end()
    await disk.unmount()
  }
}

test('a full disk refuses produce, serves reads, and takes records again once there is space, without a restart', async (context) => {
  await onSmallDisk(context, async (run, disk) => {
    await run.verify(false)
    await disk.takeAll()
    const refusal = await run.createTopic('later', 1)
    await run.verify(false)
    const ackedWhileFull = run.ackedCount
    const kafka = new Kafka({
      brokers: [run.bootstrap],
      logLevel: logLevel.NOTHING,
      retry: { retries: 100, initialRetryTime: 50, maxRetryTime: 200 },
    })
    const client = kafka.producer()
    await client.connect()
    try {
      const waiting = client.send({
        topic: 'full-of-kafkajs',
        messages: [{ value: Buffer.alloc(MIB / 2, 1) }],
      })
      await disk.giveBack()
      const [metadata] = await waiting
      assert.equal(metadata?.errorCode, 0)
    } finally {
      await client.disconnect()
    }
    assert.notEqual(refusal, 0, 'a topic was made on a disk without a free byte')
    assert.equal(await run.createTopic('later', 1), 0)
    const loading = run.load()
    await Promise.race([delay(LOAD_MS), loading])
    await run.kill()
    await loading
    assert.ok(run.ackedCount > ackedWhileFull, 'batches were acknowledged after space came back')
    await run.start()
    await run.finish()
    await run.verify(true)
    assert.equal(await run.shutdown(), 0)
  })
})

test('a broker that is stopped, or killed, on a full disk comes back with all it acknowledged', async (context) => {
  await onSmallDisk(context, async (run, disk) => {
    await run.kill()
    await run.start()
    await run.verify(false)
    await run.shutdown()
    await disk.giveBack()
    await run.start()
    await run.finish()
    await run.verify(true)
  })
})
