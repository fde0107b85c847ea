import { ErrorCode } from '../../../base/error-code.ts'
import { StorageError } from '../../../base/errors.ts'
import type { EncodedRecord } from '../../coordinator/coordinator-log.ts'
import { type CoordinatorPorts, CoordinatorShard } from '../../coordinator/coordinator-shard.ts'
import { type InternalTopics, JETSTREAM_TOPIC } from '../../coordinator/internal-topics.ts'
import { PartitionCoordinatorLog } from '../../coordinator/partition-coordinator-log.ts'
import { JetStreamMachine } from './jetstream-machine.ts'

type Shard = CoordinatorShard<JetStreamMachine, never>

/** How often it looks for the topic while that is made, and for how long. */
const POLL_MS = 5
const MAX_POLLS = 2000

/** Keeps what JetStream must not forget, as records of the compacted topic `__jetstream`. */
export class JetStreamCoordinator {
  readonly #topics: InternalTopics
  readonly #ports: CoordinatorPorts
  #shard: Shard | null = null
  #opening: Promise<JetStreamMachine> | null = null

  constructor(topics: InternalTopics, ports: CoordinatorPorts) {
    this.#topics = topics
    this.#ports = ports
  }

  /**
   * Reads what was kept; call it once, when the logs are open.
   * @returns null when nothing was ever kept
   * @throws Error when the log can't be read
   */
  load(): Promise<JetStreamMachine | null> {
    if (this.#topics.partitionCount(JETSTREAM_TOPIC) === 0) return Promise.resolve(null)
    this.#opening = this.#open()
    return this.#opening
  }

  /**
   * Appends records, all of them or none.
   * @param done told once, in the order of the calls, when they are durable or are not kept
   */
  commit(records: readonly EncodedRecord[], done: (errorCode: ErrorCode) => void): void {
    if (this.#shard?.machine == null) this.#commitOnceOpen(records, done)
    else this.#append(this.#shard, records, done)
  }

  /** Resolves when all that was given is durable or refused. */
  async close(): Promise<void> {
    const shard = this.#shard
    if (shard === null) return
    await new Promise<void>((resolve) => this.#append(shard, [], () => resolve()))
    shard.close()
  }

  #append(shard: Shard, records: readonly EncodedRecord[], done: (code: ErrorCode) => void): void {
    const reply = { answer: () => done(ErrorCode.NONE), refuse: done }
    shard.run<null>(reply, (_, turn, to) => {
      for (const record of records) turn.append(record)
      turn.reply(to, null)
    })
  }

  #commitOnceOpen(records: readonly EncodedRecord[], done: (code: ErrorCode) => void): void {
    this.#opening ??= this.#makeTopic()
    this.#opening.then(
      () => {
        if (this.#shard !== null) this.#append(this.#shard, records, done)
      },
      (error: unknown) => {
        this.#opening = null
        this.#ports.logger.error('the topic of JetStream could not be used', { error })
        done(ErrorCode.COORDINATOR_NOT_AVAILABLE)
      },
    )
  }

  async #makeTopic(): Promise<JetStreamMachine> {
    for (let i = 0; i < MAX_POLLS; i++) {
      if (this.#topics.ensure(JETSTREAM_TOPIC) === 'ready') return this.#open()
      await this.#pause()
    }
    throw new StorageError('it could not be made in time')
  }

  async #open(): Promise<JetStreamMachine> {
    const partition = this.#topics.partition(JETSTREAM_TOPIC, 0)
    if (partition === undefined) throw new StorageError('its log is not open')
    const log = new PartitionCoordinatorLog(partition)
    const { promise: loaded, resolve } = Promise.withResolvers<void>()
    const makeMachine = () => new JetStreamMachine(resolve)
    const shard: Shard = new CoordinatorShard(log, makeMachine, this.#ports)
    this.#shard = shard
    shard.load()
    // A timer does not keep the process alive, and while it starts nothing else may.
    while (shard.isLoading) await Promise.race([loaded, this.#pause()])
    if (shard.machine === null) throw new StorageError('its log can not be read')
    return shard.machine
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => this.#ports.scheduler.after(POLL_MS, resolve))
  }
}
