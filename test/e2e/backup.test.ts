import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { Admin, Producer } from 'kafkajs'
import {
  cleanUp,
  kafkaOf,
  newDirectory,
  runSpool,
  type Server,
  serve,
  stop,
} from './spool-process.ts'

after(cleanUp)

const PARTITION_COUNT = 3
const BATCH_RECORDS = 50
const VALUE_BYTES = 4_000
const BATCH_PAUSE_MS = 20

/** Produces numbered records to all partitions until it is told to stop. */
class Load {
  /** Numbers that were acknowledged, by partition, in order. */
  readonly acknowledged: readonly number[][] = Array.from({ length: PARTITION_COUNT }, () => [])
  readonly #producer: Producer
  readonly #waiters: (() => void)[] = []
  #isStopping = false
  #running: Promise<void> | undefined

  constructor(server: Server) {
    this.#producer = kafkaOf(server).producer({ idempotent: true })
  }

  async start(): Promise<void> {
    await this.#producer.connect()
    this.#running = this.#run()
  }

  /** Waits until so many records are acknowledged in all. */
  async reach(count: number): Promise<void> {
    while (this.count < count) await new Promise<void>((resolve) => this.#waiters.push(resolve))
  }

  get count(): number {
    return this.acknowledged.reduce((sum, { length }) => sum + length, 0)
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    await this.#running
    await this.#producer.disconnect()
  }

  async #run(): Promise<void> {
    for (let number = 0; !this.#isStopping; ) {
      const partition = (number / BATCH_RECORDS) % PARTITION_COUNT
      const numbers = Array.from({ length: BATCH_RECORDS }, () => number++)
      const value = randomBytes(VALUE_BYTES)
      await this.#producer.send({
        topic: 'numbers',
        acks: -1,
        messages: numbers.map((key) => ({ partition, key: String(key), value })),
      })
      this.acknowledged[partition]?.push(...numbers)
      for (const waiter of this.#waiters.splice(0)) waiter()
      // A steady load: at full speed the test would be busy with more and more records.
      await delay(BATCH_PAUSE_MS)
    }
  }
}

async function withAdmin<T>(server: Server, use: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = kafkaOf(server).admin()
  await admin.connect()
  try {
    return await use(admin)
  } finally {
    await admin.disconnect()
  }
}

/** Keys of each partition in the order of their offsets, and the first offset. */
async function readAll(server: Server): Promise<{ keys: number[][]; firstOffsets: number[] }> {
  const ends = await withAdmin(server, (admin) => admin.fetchTopicOffsets('numbers'))
  const total = ends.reduce((sum, { low, high }) => sum + Number(high) - Number(low), 0)
  const args = ['consume', 'numbers', '--from-beginning', '-n', String(total), '-o', 'json']
  const { code, stdout, stderr } = await runSpool(...args, '-b', server.bootstrap)
  assert.equal(code, 0, stderr)
  const keys: number[][] = Array.from({ length: PARTITION_COUNT }, () => [])
  for (const line of stdout.trimEnd().split('\n')) {
    const { partition, key } = JSON.parse(line) as { partition: number; key: string }
    keys[partition]?.push(Number(key))
  }
  const byPartition = ends.toSorted((a, b) => a.partition - b.partition)
  return { keys, firstOffsets: byPartition.map(({ low }) => Number(low)) }
}

async function spool(...args: readonly string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await runSpool(...args, '-o', 'json')
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
  return JSON.parse(stdout)
}

async function createNumbers(server: Server): Promise<void> {
  const configEntries = [{ name: 'segment.bytes', value: '1048576' }]
  await withAdmin(server, (admin) =>
    admin.createTopics({
      topics: [{ topic: 'numbers', numPartitions: PARTITION_COUNT, configEntries }],
    }),
  )
}

describe('spool backup and restore', () => {
  it('keeps what was acknowledged before, with groups, while produce and DeleteRecords go on', async () => {
    const root = newDirectory()
    const [dataDir, backupDir, newDir] = ['data', 'backup', 'new'].map((name) => join(root, name))
    assert.ok(dataDir !== undefined && backupDir !== undefined && newDir !== undefined)
    const server = await serve(dataDir)
    await createNumbers(server)
    const load = new Load(server)
    await load.start()
    await load.reach(1_500)
    await spool('backup', backupDir, '--data-dir', dataDir)
    const offset = '200'
    await withAdmin(server, async (admin) => {
      const partitions = [{ partition: 0, offset }]
      await admin.setOffsets({ groupId: 'readers', topic: 'numbers', partitions })
      await admin.deleteTopicRecords({ topic: 'numbers', partitions: [{ partition: 1, offset }] })
    })
    await load.reach(3_000)

    const before = load.acknowledged.map((numbers) => [...numbers])
    const second = await spool('backup', backupDir, '--data-dir', dataDir)
    assert.ok(Number(second['copiedBytes']) < Number(second['byteCount']), 'only what changed')
    await load.stop()
    assert.equal(await stop(server), 0)

    await spool('backup', backupDir, '--check')
    await spool('restore', backupDir, '--data-dir', newDir)
    const restored = await serve(newDir)
    const { keys, firstOffsets } = await readAll(restored)
    assert.deepEqual(firstOffsets, [0, 200, 0])
    for (const [partition, acknowledged] of before.entries()) {
      const known = load.acknowledged[partition]?.slice(firstOffsets[partition]) ?? []
      const found = keys[partition] ?? []
      assert.ok(found.length >= acknowledged.length - (firstOffsets[partition] ?? 0))
      assert.deepEqual(found, known.slice(0, found.length), 'in order, none twice, none invented')
    }
    const committed = await withAdmin(restored, (admin) =>
      admin.fetchOffsets({ groupId: 'readers', topics: ['numbers'] }),
    )
    assert.equal(committed[0]?.partitions.find(({ partition }) => partition === 0)?.offset, offset)
    assert.equal(await stop(restored), 0)
    const { findings } = await spool('log', 'verify', newDir)
    assert.deepEqual(findings, [])
  })

  it('refuses with one sentence', async () => {
    const root = newDirectory()
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [['backup', join(root, 'b'), '--data-dir', join(root, 'none')], /none is no data directory/],
      [['backup', join(root, 'b'), '--throttle', 'fast'], /--throttle "fast"/],
      [['backup', join(root, 'b'), '--check'], /b is no finished backup/],
      [['restore', join(root, 'b'), '--data-dir', join(root, 'd')], /b is no finished backup/],
    ]
    for (const [args, reason] of cases) {
      const { code, stdout, stderr } = await runSpool(...args)
      assert.notEqual(code, 0)
      assert.equal(stdout, '')
      assert.match(stderr, reason)
      assert.equal(stderr.trimEnd().split('\n').length, 1)
    }
  })
})
