import assert from 'node:assert/strict'
import { MemoryFileSystem } from '../../src/adapters/memory-file-system.ts'
import { BrokerCore } from '../../src/app/broker-core.ts'
import { inspectDirectory } from '../../src/app/data-directory/directory-inspection.ts'
import { ConfigError, StorageError } from '../../src/base/errors.ts'
import { BrokerConfig } from '../../src/broker/configs/broker-config.ts'
import type { Logger } from '../../src/ports/logger.ts'
import { patchCrc, RECORD_BATCH_OVERHEAD, sizeInBytesOf } from '../../src/records/record-batch.ts'
import {
  addPartition,
  contentOf,
  DATA_DIR,
  kafkaDirectory,
  METADATA_DIR,
  settled,
} from '../unit/app/data-directory/kafka-directory.ts'
import {
  aclOf,
  quotaOf,
  scramOf,
  topicOf,
  UUID,
} from '../unit/cluster/standalone/metadata-records.ts'
import { ManualScheduler } from '../unit/support/manual-scheduler.ts'
import { CountingRandom, FakeClock, SILENT } from '../unit/support/ports.ts'
import { RecordingMeter } from '../unit/support/recording-meter.ts'
import { mutate } from './mutations.ts'
import { SeededRandom } from './seeded-random.ts'

/** A snapshot and a new segment after every few commits; the log is cut behind old ones. */
const CONFIG = new Map([
  ['metadata.log.max.record.bytes.between.snapshots', '300'],
  ['metadata.log.segment.ms', '1000'],
  ['metadata.max.retention.bytes', '4000'],
])
const COMMIT_COUNT = 16

/** A disk as it was at one moment. */
type Disk = ReadonlyMap<string, string>

/** A directory to damage, and what was in it after each commit. */
export interface DirectoryHistory {
  readonly disk: Disk
  /** The last one is what the directory holds. */
  readonly states: readonly string[]
  readonly isCleanlyStopped: boolean
}

/** A broker on a disk, with what it says aloud. */
class Run {
  readonly lines: string[] = []
  readonly #fs: MemoryFileSystem
  readonly #clock = new FakeClock()
  readonly #scheduler = new ManualScheduler(this.#clock)
  #core: BrokerCore | null = null

  constructor(fs: MemoryFileSystem) {
    this.#fs = fs
  }

  async open(): Promise<BrokerCore> {
    const say = (text: string): void => {
      this.lines.push(text)
    }
    const logger: Logger = { ...SILENT, warn: say, error: say, child: () => logger }
    const opening = BrokerCore.open({
      fs: this.#fs,
      clock: this.#clock,
      scheduler: this.#scheduler,
      random: new CountingRandom(),
      logger,
      meter: new RecordingMeter(),
      config: new BrokerConfig(CONFIG),
      dataDir: DATA_DIR,
      nodeId: 1,
    })
    this.#core = await settled(opening, this.#scheduler)
    return this.#core
  }

  async commit(index: number): Promise<void> {
    const { metadata } = this.#core as BrokerCore
    this.#clock.timeMs += 2000
    const value = String(index).padStart(100, '0')
    const name = `config-${index % 3}`
    const commit = metadata.commit([
      { kind: 'configSet', type: 2, resourceName: 'orders', name, value },
      { kind: 'producerIdsTaken', nextProducerId: index * 1000 },
    ])
    await settled(commit, this.#scheduler)
    for (let turn = 0; turn < 20; turn++) await settled(Promise.resolve(), this.#scheduler)
  }

  close(): Promise<void> {
    return settled((this.#core as BrokerCore).close(), this.#scheduler)
  }
}

/** What must not be lost: all but epochs, which go up at each start. */
async function stateOf(fs: MemoryFileSystem): Promise<string> {
  const found = await inspectDirectory({ fs, dataDir: DATA_DIR, partitions: 'always' })
  assert.ok(found)
  const { image, kept } = found.state
  return JSON.stringify({
    topics: [...image.topics.values()].map(({ name, topicId, partitions }) => [
      name,
      topicId,
      partitions.map(({ replicas, leaderId }) => [replicas, leaderId]),
    ]),
    configs: [...image.allConfigs()].map(({ values, ...resource }) => [resource, [...values]]),
    features: [...image.features],
    nextProducerId: image.nextProducerId,
    kept: [...kept.securityRecords(), ...kept.quotaRecords()].map((one) => one.toString('hex')),
  })
}

/** What Kafka left, gone on with by Spool, with snapshots that came and went. */
export async function makeHistory(isCleanlyStopped: boolean): Promise<DirectoryHistory> {
  const others = [
    aclOf(),
    scramOf('alice'),
    quotaOf([{ entityType: 'user', entityName: 'alice' }], 5),
  ]
  const voters = [[1, UUID.directory]] as const
  const fs = kafkaDirectory({ voters, records: [...topicOf('orders'), ...others] })
  addPartition(fs, 'orders-0')
  const run = new Run(fs)
  await run.open()
  const states = [await stateOf(fs)]
  for (let index = 1; index <= COMMIT_COUNT; index++) {
    await run.commit(index)
    states.push(await stateOf(fs))
  }
  if (isCleanlyStopped) await run.close()
  fs.kill()
  return { disk: contentOf(fs), states, isCleanlyStopped }
}

function diskOf(disk: Disk): MemoryFileSystem {
  const fs = new MemoryFileSystem()
  fs.makeDirectory(DATA_DIR)
  for (const [path, content] of disk) {
    if (content === 'directory') fs.makeDirectory(path)
    else fs.writeFileAtomic(path, Buffer.from(content, 'hex'))
  }
  return fs
}

/** Batches with a valid CRC around whatever is in them now: only what they say is wrong. */
function withValidCrcs(content: Buffer): Buffer {
  const valid = Buffer.from(content)
  for (let at = 0; at + RECORD_BATCH_OVERHEAD <= valid.byteLength; ) {
    const sizeBytes = sizeInBytesOf(valid, at)
    if (sizeBytes < RECORD_BATCH_OVERHEAD || at + sizeBytes > valid.byteLength) break
    patchCrc(valid, at)
    at += sizeBytes
  }
  return valid
}

/** How often the damaged directory was served as it was, with an older state, or not at all. */
export interface DamageReport {
  whole: number
  older: number
  refused: number
  /** Starts with records that have a valid CRC and say something else. */
  changed: number
}

export type Damage = 'bytes' | 'records'

/**
 * Damages a file of the metadata, many times from the same whole directory, and starts a broker. It
 * must serve what was committed, or an older state and say so, or refuse in one sentence and touch nothing.
 * @throws AssertionError naming the seed, the case and the file
 */
export async function damageDirectory(
  history: DirectoryHistory,
  options: { readonly seed: number; readonly caseCount: number; readonly damage: Damage },
): Promise<DamageReport> {
  const { seed, caseCount, damage } = options
  const report: DamageReport = { whole: 0, older: 0, refused: 0, changed: 0 }
  const pattern = damage === 'records' ? /\.(log|checkpoint)$/ : /(?<!\.deleted)$/
  const files = [...history.disk.keys()].filter((path) => {
    const isFile = history.disk.get(path) !== 'directory'
    const isAtTop = path.lastIndexOf('/') === DATA_DIR.length
    return isFile && (isAtTop || path.startsWith(METADATA_DIR)) && pattern.test(path)
  })
  for (let index = 0; index < caseCount; index++) {
    const random = new SeededRandom(seed + index)
    const path = random.pick(files)
    const before = Buffer.from(history.disk.get(path) ?? '', 'hex')
    const other = (): Buffer => Buffer.from(history.disk.get(random.pick(files)) ?? '', 'hex')
    const mutated = mutate(before, random, other)
    const content = damage === 'records' ? withValidCrcs(mutated) : mutated
    const disk = new Map(history.disk).set(path, content.toString('hex'))
    const where = `seed ${seed + index}, ${path}`
    try {
      // A log that ends earlier, at the end of a batch, looks as if no more had been written.
      const isShorter = content.equals(before.subarray(0, content.byteLength))
      report[await startOn(disk, history, damage, isShorter)]++
    } catch (error) {
      throw new Error(`${where}: ${String(error)}`, { cause: error })
    }
  }
  return report
}

async function startOn(
  disk: Disk,
  { states, isCleanlyStopped }: DirectoryHistory,
  damage: Damage,
  isShorter: boolean,
): Promise<keyof DamageReport> {
  const fs = diskOf(disk)
  const run = new Run(fs)
  try {
    await run.open()
  } catch (error) {
    assert.ok(error instanceof ConfigError || error instanceof StorageError, trace(error))
    assert.match(error.message, /^[^\n]{20,600}$/)
    assert.deepEqual(changesOf(disk, contentOf(fs)), [], `it was changed: ${error.message}`)
    return 'refused'
  }
  const found = await stateOf(fs)
  await run.close()
  // The damage is dealt with once.
  const next = new Run(fs)
  await next.open()
  assert.equal(await stateOf(fs), found)
  await next.close()
  if (found === states.at(-1)) return 'whole'
  if (damage === 'records') return 'changed'
  assert.ok(states.includes(found), `served what never was: ${found}`)
  assert.ok(isShorter || run.lines.length > 0, 'an older state is served without a word')
  assert.ok(!isCleanlyStopped, 'what was stopped cleanly has lost records')
  return 'older'
}

const changesOf = (before: Disk, after: Disk): string[] =>
  [...new Set([...before.keys(), ...after.keys()])].filter(
    (path) => before.get(path) !== after.get(path),
  )

const trace = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error)
