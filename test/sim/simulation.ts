import { BrokerCore } from '../../src/app/broker-core.ts'
import { StorageError } from '../../src/base/errors.ts'
import { BrokerConfig } from '../../src/broker/configs/broker-config.ts'
import type { LogFields, Logger } from '../../src/ports/logger.ts'
import { SeededRandom } from '../fuzz/seeded-random.ts'
import { RecordingMeter } from '../unit/support/recording-meter.ts'
import { checkEverything } from './checker/check-everything.ts'
import type { Focus } from './focus.ts'
import { Ledger } from './ledger/ledger.ts'
import { Promised } from './ledger/sent-batch.ts'
import { Session } from './workload/session.ts'
import { Workload } from './workload/workload.ts'
import { drawEnding, drawFaultPlan, type Ending } from './world/fault-plan.ts'
import { Machine } from './world/machine.ts'
import { expect, ProcessDied } from './world/sim-failure.ts'

const DATA_DIR = '/data'
const MARKER = `${DATA_DIR}/.kafka_cleanshutdown`
const TOPIC_NAMES = ['a', 'b', 'c']
const MAX_LIVES = 6
/** After so many starts that failed the disk works. */
const MAX_FAILED_STARTS = 3

export interface SimulationOptions {
  readonly seed: number
  /** Told what happens, line by line. */
  readonly trace?: (line: string) => void
  readonly focus?: Focus
}

/**
 * One broker through several lives on one disk.
 * @throws SimFailure when a promise was broken; any other error is a fault as well
 */
export async function simulate(options: SimulationOptions): Promise<void> {
  await new Simulation(options).run()
}

class Simulation {
  readonly #options: SimulationOptions
  readonly #machine: Machine
  readonly #random: SeededRandom
  readonly #brokerRandom: SeededRandom
  readonly #ledger = new Ledger(TOPIC_NAMES)
  readonly #workload: Workload
  readonly #configs: ReadonlyMap<string, string>
  #failedStartCount = 0

  constructor(options: SimulationOptions) {
    const { seed, focus = {}, trace = null } = options
    this.#options = options
    this.#random = new SeededRandom(seed * 5 + 3)
    this.#brokerRandom = new SeededRandom(seed * 5 + 4)
    const faults = drawFaultPlan(this.#random, focus.faults)
    this.#machine = new Machine({
      seed,
      faults,
      trace,
    })
    this.#machine.trace(() => `seed ${seed}: ${faults.name}`)
    this.#workload = new Workload(this.#random, this.#ledger, focus)
    this.#configs = this.#drawConfigs()
    this.#machine.fs.makeDirectory(DATA_DIR)
    this.#machine.fs.syncDirectory('/')
  }

  async run(): Promise<void> {
    const lifeCount = 2 + this.#random.int(MAX_LIVES - 1)
    for (let life = 0; life < lifeCount; life++)
      await this.#live(drawEnding(this.#random, this.#options.focus))
    // Whatever happened, a disk that works gives everything back, twice.
    this.#machine.disk.capacityBytes = Number.POSITIVE_INFINITY
    for (const losesPowerAfterwards of [true, false])
      await this.#live({
        kind: 'stop',
        atOperation: Number.POSITIVE_INFINITY,
        atTurn: 0,
        losesPowerAfterwards,
      })
  }

  /** From a start to the end, however it comes. */
  async #live(ending: Ending): Promise<void> {
    const machine = this.#machine
    machine.boot(ending)
    machine.areFaultsOn =
      Number.isFinite(ending.atTurn) &&
      ending.atTurn > 0 &&
      this.#failedStartCount < MAX_FAILED_STARTS
    if (!machine.areFaultsOn) machine.disk.capacityBytes = Number.POSITIVE_INFINITY
    machine.trace(() => `start, until ${JSON.stringify(ending)}`)
    try {
      const core = await this.#start()
      if (core === null) return
      const session = new Session(machine, core, this.#ledger, this.#random)
      const { transactions, shareGroups } = this.#workload
      await checkEverything(session, transactions.ledger)
      if (ending.atTurn === 0) {
        await transactions.settle(session)
        await shareGroups.settle(session)
      } else this.#workload.begin(session)
      while (!machine.isStopDue) await this.#workload.turn(session)
      await this.#stop(core, ending)
    } catch (error) {
      if (!(error instanceof ProcessDied)) throw error
      this.#died(ending)
    }
  }

  #died(ending: Ending): void {
    const { disk, hasWrittenRecords } = this.#machine
    if (ending.kind === 'power') this.#ledger.survived = Promised.POWER_FAILURE
    expect(
      !hasWrittenRecords || disk.find(MARKER) === undefined,
      'the mark of a clean stop was there while records were written',
    )
    if (ending.losesPowerAfterwards) this.#losePower()
  }

  #losePower(): void {
    this.#machine.end('power')
    this.#ledger.survived = Promised.POWER_FAILURE
  }

  /** @returns null when the disk did not let it start, as it may while it fails */
  async #start(): Promise<BrokerCore | null> {
    const machine = this.#machine
    const { clock, scheduler, fs } = machine
    try {
      const core = await machine.until(
        BrokerCore.open({
          fs,
          clock,
          scheduler,
          random: this.#brokerRandom,
          logger: this.#logger(),
          meter: new RecordingMeter(),
          config: new BrokerConfig(this.#configs),
          dataDir: DATA_DIR,
          nodeId: 1,
        }),
      )
      this.#failedStartCount = 0
      return core
    } catch (error) {
      const isExpected = machine.areFaultsOn && error instanceof StorageError
      if (!isExpected) throw error
      machine.trace(() => `the start failed: ${error.message}`)
      this.#failedStartCount++
      machine.end('kill')
      return null
    }
  }

  async #stop(core: BrokerCore, ending: Ending): Promise<void> {
    const machine = this.#machine
    machine.trace(() => 'stop')
    machine.hasWrittenRecords = false
    try {
      await machine.until(core.close())
    } catch (error) {
      if (!machine.areFaultsOn || !(error instanceof StorageError)) throw error
      machine.trace(() => `the stop failed: ${error.message}`)
    }
    machine.end('kill')
    if (ending.losesPowerAfterwards) this.#losePower()
  }

  #drawConfigs(): ReadonlyMap<string, string> {
    const random = this.#random
    const isCompacted = this.#options.focus?.compacts === true
    return new Map([
      ['log.dirs', DATA_DIR],
      ['offsets.topic.num.partitions', '2'],
      ['group.initial.rebalance.delay.ms', '0'],
      ['group.streams.initial.rebalance.delay.ms', '0'],
      ['group.streams.assignment.interval.ms', '0'],
      ['transaction.state.log.num.partitions', '2'],
      ['share.coordinator.state.topic.num.partitions', '2'],
      ['share.coordinator.snapshot.update.records.per.snapshot', random.pick(['0', '3', '500'])],
      ['share.coordinator.state.topic.prune.interval.ms', random.pick(['100', '300000'])],
      ['share.coordinator.cold.partition.snapshot.interval.ms', random.pick(['200', '300000'])],
      ['errors.deadletterqueue.auto.create.topics.enable', 'true'],
      ['group.share.min.record.lock.duration.ms', '1000'],
      [
        'transaction.abort.timed.out.transaction.cleanup.interval.ms',
        random.pick(['100', '10000']),
      ],
      ['log.index.size.max.bytes', random.pick(['32', '10485760'])],
      ['log.index.interval.bytes', random.pick(['0', '4096'])],
      ['log.flush.offset.checkpoint.interval.ms', random.pick(['50', '400', '60000'])],
      ['log.retention.check.interval.ms', random.pick(['100', '700'])],
      ['log.retention.ms', '-1'],
      ['log.initial.task.delay.ms', random.pick(['10', '1000'])],
      ['log.cleaner.backoff.ms', isCompacted ? '30' : random.pick(['30', '400', '15000'])],
      ['log.segment.delete.delay.ms', random.pick(['0', '300'])],
      ['spool.tail.cache.bytes', random.pick(['0', '3000', '1000000'])],
    ])
  }

  #logger(): Logger {
    const machine = this.#machine
    const at = (level: string) => (text: string, fields?: LogFields) =>
      machine.trace(() => `[${level}] ${text} ${fields === undefined ? '' : show(fields)}`)
    const logger: Logger = {
      debug: at('debug'),
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
      child: () => logger,
    }
    return logger
  }
}

function show(fields: LogFields): string {
  return JSON.stringify(fields, (_, value) => (value instanceof Error ? value.message : value))
}
