import { MemoryFileSystem } from '../../../../src/adapters/memory-file-system.ts'
import type { MetadataLogOptions } from '../../../../src/cluster/standalone/metadata-log.ts'
import type { SnapshotPolicy } from '../../../../src/cluster/standalone/snapshot-generator.ts'
import { StandaloneMetadata } from '../../../../src/cluster/standalone/standalone-metadata.ts'
import { LogManager } from '../../../../src/storage/log-manager.ts'
import { ManualScheduler } from '../../support/manual-scheduler.ts'
import { CountingRandom, FakeClock, SILENT } from '../../support/ports.ts'
import { RecordingMeter } from '../../support/recording-meter.ts'

export const METADATA_DIRECTORY = '/data/__cluster_metadata-0'

export interface NodeSettings {
  readonly snapshots?: Partial<SnapshotPolicy>
  readonly log?: Partial<MetadataLogOptions>
}

/** Standalone metadata on the real storage engine, on a disk that can crash. */
export class MetadataNode {
  readonly fs: MemoryFileSystem
  readonly clock = new FakeClock()
  readonly #settings: NodeSettings
  readonly #random = new CountingRandom()
  scheduler = new ManualScheduler(this.clock)
  #manager: LogManager | null = null
  #metadata: StandaloneMetadata | null = null

  /** @param fs the disk of another node, which has stopped */
  constructor(settings: NodeSettings = {}, fs?: MemoryFileSystem) {
    this.#settings = settings
    this.fs = fs ?? new MemoryFileSystem({ tracksSyncs: true })
    this.fs.makeDirectory('/data')
    this.fs.syncDirectory('')
  }

  get metadata(): StandaloneMetadata {
    if (this.#metadata === null) throw new Error('open the metadata first')
    return this.#metadata
  }

  /** Starts as a new process does. */
  async open(): Promise<StandaloneMetadata> {
    this.scheduler = new ManualScheduler(this.clock)
    const ports = {
      fs: this.fs,
      dataDir: '/data',
      clock: this.clock,
      scheduler: this.scheduler,
      random: this.#random,
      logger: SILENT,
    }
    this.#manager = new LogManager({ ...ports, meter: new RecordingMeter() })
    const opening = StandaloneMetadata.open({
      ...ports,
      ...this.#settings,
      logStore: this.#manager,
      nodeId: 1,
    })
    this.#metadata = await this.settled(opening)
    return this.#metadata
  }

  async stop(): Promise<void> {
    await this.settled(this.#metadata?.close() ?? Promise.resolve())
    await this.settled(this.#manager?.close() ?? Promise.resolve())
  }

  commit(changes: Parameters<StandaloneMetadata['commit']>[0]): Promise<void> {
    return this.settled(this.metadata.commit(changes))
  }

  /** Lets turns of the event loop pass until the promise is settled. */
  async settled<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false
    const mark = (): void => {
      isSettled = true
    }
    promise.then(mark, mark)
    while (!isSettled) await this.turn()
    return promise
  }

  async turn(): Promise<void> {
    this.scheduler.finishTurn()
    await new Promise((resolve) => setImmediate(resolve))
  }

  /** Until nothing is planned for this moment any more. */
  async idle(): Promise<void> {
    for (let turn = 0; turn < 20; turn++) await this.turn()
  }

  names(pattern: RegExp): string[] {
    return this.fs.list(METADATA_DIRECTORY).filter((name) => pattern.test(name))
  }
}
