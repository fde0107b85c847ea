import type { FileSystem } from '../../../src/ports/file-system.ts'
import { SeededRandom } from '../../fuzz/seeded-random.ts'
import { type DiskFault, type DiskOperation, SimulatedDisk } from '../disk/simulated-disk.ts'
import { drawFault, type Ending, type FaultPlan } from './fault-plan.ts'
import { ProcessDied, SimFailure } from './sim-failure.ts'
import { SimulatedClock, SimulatedScheduler } from './simulated-time.ts'

/** A test waits so many turns for a promise before it says that nothing happens any more. */
const MAX_WAIT_TURNS = 20_000
/** A page cache that takes a write only slowly, which makes the broker write elsewhere. */
const SLOW_WRITE_MS = 50

export interface MachineOptions {
  readonly seed: number
  readonly faults: FaultPlan
  readonly trace: ((line: string) => void) | null
}

/**
 * A computer with one process, whose every step comes from the seed: which call of the disk ends
 * next, how time passes, and where the process is killed or the power fails.
 */
export class Machine {
  readonly clock = new SimulatedClock()
  readonly disk: SimulatedDisk
  /** The disk as the process sees it. */
  fs: FileSystem
  readonly faults: FaultPlan
  scheduler = new SimulatedScheduler(this.clock)
  isRunning = false
  areFaultsOn = false
  turnCount = 0
  /** What the process did to records since it began. */
  hasWrittenRecords = false
  readonly #random: SeededRandom
  readonly #trace: ((line: string) => void) | null
  #ending: Ending | null = null
  #operationCount = 0
  #lifeTurnCount = 0
  /** The process is killed once the operation under way got through in part. */
  #isDying = false
  #broken: Error | null = null
  #flippedPath: string | null = null

  constructor(options: MachineOptions) {
    const { seed, faults } = options
    this.#random = new SeededRandom(seed * 3 + 1)
    this.faults = faults
    this.#trace = options.trace
    this.disk = new SimulatedDisk({
      random: new SeededRandom(seed * 3 + 2),
      nowMs: () => this.clock.nowMs(),
      before: (operation, path) => this.#before(operation, path),
      pieceBytes: this.#random.oneIn(2) ? 512 : 4096,
      names: this.#random.oneIn(2) ? 'journal' : 'any',
    })
    this.fs = this.disk.mount()
  }

  trace(line: () => string): void {
    this.#trace?.(`${this.turnCount} ${line()}`)
  }

  /** A new process begins; it ends as planned. */
  boot(ending: Ending | null): void {
    this.scheduler = new SimulatedScheduler(this.clock)
    this.fs = this.disk.mount()
    this.isRunning = true
    this.hasWrittenRecords = false
    this.#isDying = false
    this.#ending = ending
    this.#operationCount = 0
    this.#lifeTurnCount = 0
  }

  /** Ends the process now. */
  end(kind: 'power' | 'kill'): void {
    this.isRunning = false
    this.#isDying = false
    this.trace(() => (kind === 'power' ? 'the power fails' : 'the process is killed'))
    if (kind === 'power') this.disk.losePower()
    else this.disk.kill()
  }

  /** Something is wrong that was found in a callback; the next turn throws it. */
  fail(error: Error): void {
    this.#broken ??= error
  }

  /**
   * One turn of the event loop: one thing happens, then all that follows from it at once.
   * @returns false when nothing was left to do
   */
  async turn(): Promise<boolean> {
    this.turnCount++
    if (++this.#lifeTurnCount >= (this.#ending?.atTurn ?? Number.POSITIVE_INFINITY)) {
      if (this.#ending !== null && this.#ending.kind !== 'stop') {
        this.end(this.#ending.kind)
        return false
      }
    }
    const hasActed = this.#guard(() => this.#act())
    do {
      this.#guard(() => this.scheduler.finishTurn())
      await macrotask()
    } while (this.isRunning && this.scheduler.hasEndOfTurn)
    if (this.#isDying) this.end('kill')
    if (this.#broken !== null) throw this.#broken
    return hasActed ?? true
  }

  /** True once a clean stop is due. */
  get isStopDue(): boolean {
    return this.#ending !== null && this.#lifeTurnCount >= this.#ending.atTurn
  }

  /**
   * Turns until a promise is settled.
   * @throws ProcessDied when the process ends before
   */
  async until<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false
    const settle = () => {
      isSettled = true
    }
    promise.then(settle, settle)
    await macrotask()
    for (let turns = 0; !isSettled; turns++) {
      if (!this.isRunning) throw new ProcessDied()
      if (turns > MAX_WAIT_TURNS) throw new SimFailure('a request is never answered')
      await this.turn()
    }
    if (!this.isRunning) throw new ProcessDied()
    return promise
  }

  /** Something happens: the disk ends a call, or a timer is due. */
  #act(): boolean {
    this.clock.pass(this.#random.int(8) / 4)
    const { nextMs = Number.POSITIVE_INFINITY } = this.scheduler
    const isDue = nextMs <= this.clock.monotonicMs()
    if (this.disk.taskCount > 0 && !(isDue && this.#random.oneIn(2))) {
      this.disk.runTask()
      return true
    }
    if (nextMs === Number.POSITIVE_INFINITY) return false
    this.scheduler.runNext()
    return true
  }

  /** What a dead process throws is heard by nobody. */
  #guard<T>(work: () => T): T | undefined {
    try {
      return work()
    } catch (error) {
      if (this.isRunning && !this.#isDying) throw error
      return undefined
    }
  }

  #before(operation: DiskOperation, path: string): DiskFault | undefined {
    if (this.#isDying) this.end('kill')
    if (!this.isRunning) return undefined
    if (++this.#operationCount >= (this.#ending?.atOperation ?? Number.POSITIVE_INFINITY))
      return this.#endAt(operation, path)
    if (operation === 'write' && path.endsWith('.log')) this.hasWrittenRecords = true
    if (operation === 'write' && this.#random.oneIn(200)) this.clock.pass(SLOW_WRITE_MS)
    const fault = this.areFaultsOn
      ? drawFault(this.faults, operation, path, this.#random)
      : undefined
    // A bit that flips on the way does not do so again when the same is read once more.
    const hasFlipped = this.#flippedPath === path
    this.#flippedPath = fault?.kind === 'flippedBit' ? path : null
    if (fault?.kind === 'flippedBit' && hasFlipped) return undefined
    if (fault !== undefined) this.trace(() => `${operation} ${path}: ${JSON.stringify(fault)}`)
    return fault
  }

  #endAt(operation: DiskOperation, path: string): DiskFault | undefined {
    this.trace(() => `at ${operation} ${path}`)
    if (this.#ending?.kind === 'power' || operation !== 'write') {
      this.end(this.#ending?.kind === 'power' ? 'power' : 'kill')
      return undefined
    }
    this.#isDying = true
    return { kind: 'error', code: 'EPIPE', share: this.#random.int(5) / 4 }
  }
}

function macrotask(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
