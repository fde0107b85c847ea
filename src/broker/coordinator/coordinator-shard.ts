import { assert } from '../../base/assert.ts'
import { ErrorCode, errorName } from '../../base/error-code.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Logger } from '../../ports/logger.ts'
import type { Random } from '../../ports/random.ts'
import type { Scheduler, Timer } from '../../ports/scheduler.ts'
import type { EndTxnMarker } from '../../records/control-batch.ts'
import type { CoordinatorLog, EncodedRecord, RecordProducer } from './coordinator-log.ts'
import { CoordinatorTimers } from './coordinator-timers.ts'
import type { CoordinatorMachine, Reply, Turn } from './coordinator-turn.ts'

export interface CoordinatorPorts {
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly random: Random
  readonly logger: Logger
}

/** Steps of one turn of the event loop share a batch; a larger batch is cut here. */
const MAX_BATCH_BYTES = 512 * 1024
/** A log that can't be replayed is not read again for every request. */
const RELOAD_PAUSE_MS = 1000

/** Records that are appended as one batch. */
interface RecordBatch {
  readonly producer: RecordProducer | null
  readonly records: EncodedRecord[]
}

/** What was decided and is not durable yet: records, and the answers that wait for them. */
class Commit {
  readonly batches: RecordBatch[] = []
  /** Ends a transaction after the batches; nothing may follow it. */
  marker: EndTxnMarker | null = null
  readonly replies: { readonly reply: Reply<never>; readonly send: () => void }[] = []
  byteLength = 0

  get isEmpty(): boolean {
    return this.batches.length === 0 && this.marker === null
  }
}

/**
 * One partition of a coordinator: its state machine and its log. Steps run one after the other in
 * memory; an answer leaves when all that was decided before it is durable, so nobody ever sees what
 * a crash could take back. If an append fails, the state is thrown away and replayed from the log.
 */
export class CoordinatorShard<M extends CoordinatorMachine<TimerEvent>, TimerEvent> {
  readonly #log: CoordinatorLog
  readonly #makeMachine: () => M
  readonly #ports: CoordinatorPorts
  readonly #timers: CoordinatorTimers<TimerEvent>
  /** null while loading and after a failure. */
  #machine: M | null = null
  #isLoading = false
  #isClosed = false
  /** Goes up with every load, so that late callbacks of an earlier life are known. */
  #life = 0
  #loadAgainAtMs = Number.NEGATIVE_INFINITY
  #reload: Timer | null = null
  #open: Commit | null = null
  #inFlight: Commit[] = []
  /** One for all steps: a heartbeat makes nothing but its answer. */
  readonly #turn: Turn<TimerEvent> & { nowMs: number }

  constructor(log: CoordinatorLog, makeMachine: () => M, ports: CoordinatorPorts) {
    this.#log = log
    this.#makeMachine = makeMachine
    this.#ports = ports
    this.#timers = new CoordinatorTimers(ports.clock, ports.scheduler, (event) =>
      this.#step((machine, turn) => machine.timerFired(event, turn)),
    )
    this.#turn = this.#makeTurn()
  }

  /** The state to look at, null when it can't be used now. */
  get machine(): M | null {
    return this.#machine
  }

  get isLoading(): boolean {
    return this.#isLoading
  }

  /** Where the shard keeps its records. */
  get log(): CoordinatorLog {
    return this.#log
  }

  /** Timers that are set: they are bounded by what the machine knows. */
  get timerCount(): number {
    return this.#timers.size
  }

  /** Replays the log; the shard serves when that is done. */
  load(): void {
    if (this.#isLoading || this.#machine !== null || this.#isClosed || !this.#log.isUsable) return
    if (this.#ports.clock.monotonicMs() < this.#loadAgainAtMs) return
    this.#isLoading = true
    const life = ++this.#life
    const machine = this.#makeMachine()
    const replay = {
      record: machine.replay.bind(machine),
      transactionEnded: machine.replayTransactionEnd.bind(machine),
    }
    this.#log.replay(replay, (error) => {
      if (life !== this.#life) return
      this.#isLoading = false
      if (error !== null) {
        this.#loadAgainAtMs = this.#ports.clock.monotonicMs() + RELOAD_PAUSE_MS
        this.#ports.logger.error('a coordinator could not be loaded', { error })
        return
      }
      this.#machine = machine
      this.#step((loaded, turn) => loaded.loaded(turn))
    })
  }

  /**
   * Runs one step. Refuses with COORDINATOR_LOAD_IN_PROGRESS or NOT_COORDINATOR when there is no
   * state; then the client asks again, and a shard that failed has been loaded anew.
   */
  run<T>(
    reply: Reply<T>,
    step: (machine: M, turn: Turn<TimerEvent>, reply: Reply<T>) => void,
  ): void {
    if (this.#machine === null) this.load()
    if (this.#machine !== null) this.#step((machine, turn) => step(machine, turn, reply))
    else if (this.#isLoading) reply.refuse(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS)
    else reply.refuse(ErrorCode.NOT_COORDINATOR)
  }

  /** Refuses what waits, and everything from now on. What was appended stays in the log. */
  close(): void {
    this.#isClosed = true
    this.#reload?.cancel()
    this.#dropState()
  }

  #step(step: (machine: M, turn: Turn<TimerEvent>) => void): void {
    const machine = this.#machine
    if (machine === null) return
    this.#turn.nowMs = this.#ports.clock.nowMs()
    step(machine, this.#turn)
    const open = this.#open
    if (open === null) return
    if (open.isEmpty) this.#settleWithoutRecords(open)
    // After a marker the log must know at once that the transaction is over.
    else if (open.byteLength >= MAX_BATCH_BYTES || open.marker !== null) this.#flush(open)
  }

  /** Nothing to append: the answers wait for what is in flight, or go at once. */
  #settleWithoutRecords(open: Commit): void {
    this.#open = null
    const last = this.#inFlight.at(-1)
    if (last !== undefined) last.replies.push(...open.replies)
    else for (const { send } of open.replies) send()
  }

  #makeTurn(): Turn<TimerEvent> & { nowMs: number } {
    return {
      nowMs: 0,
      append: (record, producer) => this.#append(record, producer ?? null),
      appendMarker: (marker) => {
        this.#commitToAppend().marker = marker
      },
      reply: (to, value) => {
        this.#openCommit().replies.push({ reply: to, send: () => to.answer(value) })
      },
      schedule: (name, delayMs, event) => this.#timers.schedule(name, delayMs, event),
      cancel: (name) => this.#timers.cancel(name),
      uuid: () => dashedUuid(this.#ports.random),
    }
  }

  #openCommit(): Commit {
    this.#open ??= new Commit()
    return this.#open
  }

  #commitToAppend(): Commit {
    const open = this.#openCommit()
    assert(open.marker === null, 'a marker is the last thing of its step')
    if (open.isEmpty) this.#ports.scheduler.endOfTurn(() => this.#flush(open))
    return open
  }

  #append(record: EncodedRecord, producer: RecordProducer | null): void {
    const { batches } = this.#commitToAppend()
    const last = batches.at(-1)
    if (last !== undefined && isSame(last.producer, producer)) last.records.push(record)
    else batches.push({ producer, records: [record] })
    this.#openCommit().byteLength += record.key.length + (record.value?.length ?? 0)
  }

  #flush(commit: Commit): void {
    if (this.#open !== commit) return
    this.#open = null
    this.#inFlight.push(commit)
    const life = this.#life
    const { batches, marker } = commit
    const nowMs = this.#ports.clock.nowMs()
    let appendCount = batches.length + (marker === null ? 0 : 1)
    const done = (errorCode: ErrorCode): void => {
      appendCount--
      if (life !== this.#life) return
      if (errorCode !== ErrorCode.NONE) this.#fail(errorCode)
      else if (appendCount === 0) this.#settle()
    }
    for (const { records, producer } of batches) {
      const code = this.#log.append(records, producer, nowMs, done)
      if (code === ErrorCode.NONE) continue
      this.#fail(code)
      return
    }
    if (marker === null) return
    const code = this.#log.appendMarker(marker, done)
    if (code !== ErrorCode.NONE) this.#fail(code)
  }

  #settle(): void {
    const commit = this.#inFlight.shift()
    for (const { send } of commit?.replies ?? []) send()
  }

  #fail(errorCode: ErrorCode): void {
    this.#ports.logger.error('a coordinator could not append to its log', {
      error: errorName(errorCode),
    })
    this.#dropState()
    // Nobody may ask again, but timers and what is not finished must go on.
    this.#reload?.cancel()
    if (!this.#log.isUsable) return
    this.#reload = this.#ports.scheduler.after(RELOAD_PAUSE_MS, () => this.load())
  }

  #dropState(): void {
    const waiting = [...this.#inFlight, ...(this.#open === null ? [] : [this.#open])]
    const parked = this.#machine?.parkedReplies() ?? []
    this.#life++
    this.#machine = null
    this.#isLoading = false
    this.#open = null
    this.#inFlight = []
    this.#timers.cancelAll()
    for (const { replies } of waiting) {
      for (const { reply } of replies) reply.refuse(ErrorCode.NOT_COORDINATOR)
    }
    for (const reply of parked) reply.refuse(ErrorCode.NOT_COORDINATOR)
  }
}

function isSame(one: RecordProducer | null, other: RecordProducer | null): boolean {
  return one?.producerId === other?.producerId && one?.producerEpoch === other?.producerEpoch
}

/** Version 4, as java.util.UUID prints it: member ids look as people know them from Kafka. */
function dashedUuid(random: Random): string {
  const hex = (digits: number): string =>
    random
      .int(16 ** digits)
      .toString(16)
      .padStart(digits, '0')
  const variant = (8 + random.int(4)).toString(16)
  return `${hex(8)}-${hex(4)}-4${hex(3)}-${variant}${hex(3)}-${hex(8)}${hex(4)}`
}
