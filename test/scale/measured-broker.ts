import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startTarget, type Target } from '../conformance/target.ts'
import { KafkaConnection } from '../support/kafka-connection.ts'

const KB_PER_MB = 1024

/** What a step took and what the broker held after it. */
export interface ScaleStep {
  readonly step: string
  readonly milliseconds: number
  readonly residentMb: number
  readonly openFiles: number
}

/** A Spool that is started and stopped on one directory, with a connection to it, step by step. */
export class MeasuredBroker {
  readonly steps: ScaleStep[] = []
  readonly directory: string
  readonly #openFileLimit: number | null
  #target: Target | undefined
  #connection: KafkaConnection | undefined

  private constructor(directory: string, openFileLimit: number | null) {
    this.directory = directory
    this.#openFileLimit = openFileLimit
  }

  /**
   * Runs the steps on a new directory, which is removed in the end.
   * @param openFileLimit hard limit of open files for the broker; null: that of this process
   */
  static async run(
    openFileLimit: number | null,
    work: (broker: MeasuredBroker) => Promise<void>,
  ): Promise<readonly ScaleStep[]> {
    const directory = await mkdtemp(join(tmpdir(), 'spool-scale-'))
    const broker = new MeasuredBroker(directory, openFileLimit)
    try {
      await work(broker)
      return broker.steps
    } finally {
      await broker.kill()
      await rm(directory, { recursive: true, force: true })
    }
  }

  get connection(): KafkaConnection {
    if (this.#connection === undefined) throw new Error('the broker is not running')
    return this.#connection
  }

  async start(step: string): Promise<void> {
    const limit = this.#openFileLimit
    const wrapper = limit === null ? [] : ['prlimit', `--nofile=${limit}:${limit}`]
    this.#target = await startTarget('spool', { directory: this.directory, wrapper })
    this.#connection = await KafkaConnection.open(this.#target.bootstrap)
    this.#note(step, this.#target.startMs)
  }

  async measure(step: string, work: () => Promise<void>): Promise<void> {
    const startedAt = performance.now()
    await work()
    this.#note(step, performance.now() - startedAt)
  }

  async kill(): Promise<void> {
    await this.#disconnect()
    await this.#target?.kill()
    this.#target = undefined
  }

  async shutdown(): Promise<void> {
    await this.#disconnect()
    await this.#target?.shutdown()
    this.#target = undefined
  }

  async #disconnect(): Promise<void> {
    await this.#connection?.close()
    this.#connection = undefined
  }

  #note(step: string, milliseconds: number): void {
    const pid = this.#target?.pid
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const residentMb = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / KB_PER_MB
    const openFiles = readdirSync(`/proc/${pid}/fd`).length
    this.steps.push({ step, milliseconds, residentMb, openFiles })
  }
}
