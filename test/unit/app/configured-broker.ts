import assert from 'node:assert/strict'
import { MemoryFileSystem } from '../../../src/adapters/memory-file-system.ts'
import { BrokerCore } from '../../../src/app/broker-core.ts'
import { ErrorCode } from '../../../src/base/error-code.ts'
import { UNPOOLED } from '../../../src/base/lease.ts'
import { BrokerConfig } from '../../../src/broker/configs/broker-config.ts'
import { AlterOperation } from '../../../src/broker/configs/config-alterer.ts'
import type { Partition, ProduceResult } from '../../../src/broker/topics/partition.ts'
import { ConfigResourceType } from '../../../src/ports/metadata-store.ts'
import type { PartitionLog } from '../../../src/ports/partition-log.ts'
import { type BatchOptions, buildBatch } from '../../../src/records/batch-builder.ts'
import { ManualScheduler } from '../support/manual-scheduler.ts'
import { CountingRandom, FakeClock, SILENT } from '../support/ports.ts'
import { RecordingMeter } from '../support/recording-meter.ts'

type Values = Readonly<Record<string, string>>

const DATA_DIR = '/data'
const TOPIC = 'orders'

/** Draws the largest number, so that jitter is as much as it may be. */
class HighestRandom extends CountingRandom {
  override int(below: number): number {
    return below - 1
  }
}

export interface ProducedBatch extends BatchOptions {
  /** Before (negative) or after now. */
  readonly ageMs?: number
  readonly valueBytes?: number
  readonly value?: Buffer
  readonly key?: Buffer | null
}

/** A whole broker without front ends on a disk in memory, with one topic whose configs change. */
export class ConfiguredBroker {
  readonly clock = new FakeClock()
  readonly scheduler = new ManualScheduler(this.clock)
  readonly meter = new RecordingMeter()
  readonly fs: MemoryFileSystem
  core!: BrokerCore
  #diskTasks: (() => void)[] = []

  private constructor() {
    this.fs = new MemoryFileSystem({ defer: (task) => void this.#diskTasks.push(task) })
  }

  static async start(brokerConfigs: Values, topicConfigs: Values): Promise<ConfiguredBroker> {
    const broker = new ConfiguredBroker()
    const { fs, clock, scheduler, meter } = broker
    broker.core = await broker.until(
      BrokerCore.open({
        fs,
        clock,
        scheduler,
        meter,
        random: new HighestRandom(),
        logger: SILENT,
        config: new BrokerConfig(new Map(Object.entries(brokerConfigs))),
        dataDir: DATA_DIR,
        nodeId: 1,
      }),
    )
    const [created] = await broker.until(
      broker.core.topicAdmin.createTopics(
        [
          {
            name: TOPIC,
            partitionCount: 1,
            replicationFactor: 1,
            assignments: [],
            configs: Object.entries(topicConfigs).map(([name, value]) => ({ name, value })),
          },
        ],
        false,
      ),
    )
    assert.equal(created?.errorCode, ErrorCode.NONE, created?.errorMessage ?? '')
    return broker
  }

  get partition(): Partition {
    const partition = this.core.registry.partition(TOPIC, 0)
    assert(partition !== undefined)
    return partition
  }

  get log(): PartitionLog {
    return this.partition.log
  }

  /** Base offsets of the segments, rising. */
  get segments(): number[] {
    return this.files('.log').map((name) => Number.parseInt(name, 10))
  }

  get syncCount(): number {
    return this.meter.count('spool_log_sync_seconds_count')
  }

  files(suffix: string): string[] {
    return this.fs.list(`${DATA_DIR}/${TOPIC}-0`).filter((name) => name.endsWith(suffix))
  }

  read(name: string): Buffer {
    return this.fs.readFile(`${DATA_DIR}/${TOPIC}-0/${name}`)
  }

  readCheckpoint(name: string): string {
    const path = `${DATA_DIR}/${name}`
    return this.fs.stat(path) === undefined ? '' : this.fs.readFile(path).toString()
  }

  async setTopic(name: string, value: string | null): Promise<void> {
    await this.#alter(ConfigResourceType.TOPIC, TOPIC, name, value)
  }

  async setBroker(name: string, value: string | null): Promise<void> {
    await this.#alter(ConfigResourceType.BROKER, '', name, value)
  }

  async #alter(type: number, resourceName: string, name: string, value: string | null) {
    const operation = value === null ? AlterOperation.DELETE : AlterOperation.SET
    const resource = { type, resourceName, alterations: [{ name, operation, value }] }
    const [outcome] = await this.until(this.core.configAlterer.alter([resource], false, false))
    assert.equal(outcome?.errorCode, ErrorCode.NONE, outcome?.errorMessage ?? '')
  }

  /** Produces a batch of one record and lets the disk work until nothing is left to do. */
  async produce(batch: ProducedBatch = {}): Promise<ProduceResult> {
    const { ageMs = 0, valueBytes = 10, value = Buffer.alloc(valueBytes), key = null } = batch
    const timestamp = this.clock.timeMs + ageMs
    const records = buildBatch([{ timestamp, key, value }], batch)
    const result = this.partition.append({
      records,
      lease: UNPOOLED,
      safety: 'durable',
      waiter: { appendDone() {} },
      slot: 0,
      apiVersion: 9,
      nowMs: this.clock.timeMs,
    })
    await this.settle()
    return result
  }

  /** The newest batch of the log, as it is on disk. */
  newestBatch(): Buffer {
    const name = this.files('.log').at(-1)
    assert(name !== undefined)
    const content = this.read(name)
    let at = 0
    while (at + 12 + content.readInt32BE(at + 8) < content.byteLength)
      at += 12 + content.readInt32BE(at + 8)
    return content.subarray(at)
  }

  async advance(byMs: number): Promise<void> {
    this.scheduler.advance(byMs)
    await this.settle()
  }

  /** Lets the disk, the ends of turns and promises go on until all stands still. */
  async settle(): Promise<void> {
    for (let stillTurns = 0; stillTurns < 2; ) {
      await new Promise((resolve) => setImmediate(resolve))
      this.scheduler.finishTurn()
      const tasks = this.#diskTasks.splice(0)
      for (const task of tasks) task()
      stillTurns = tasks.length === 0 ? stillTurns + 1 : 0
    }
  }

  async until<T>(promise: Promise<T>): Promise<T> {
    let isDone = false
    const finished = promise.finally(() => {
      isDone = true
    })
    finished.catch(() => undefined)
    while (!isDone) await this.settle()
    return promise
  }

  async stop(): Promise<void> {
    await this.until(this.core.close())
  }
}
