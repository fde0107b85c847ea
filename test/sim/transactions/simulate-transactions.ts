import type { BrokerCore } from '../../../src/app/broker-core.ts'
import { listTransactionsApi } from '../../../src/wire/kafka/messages/66-list-transactions.ts'
import { checkLogs, checkOffset } from './check-transactions.ts'
import { OffsetReader } from './offset-reader.ts'
import { PartitionReader } from './partition-reader.ts'
import { expect, TransactionLedger } from './transaction-ledger.ts'
import {
  ConnectionLost,
  DATA_PARTITION_COUNT,
  DATA_TOPIC,
  type Ending,
  TransactionMachine,
} from './transaction-machine.ts'
import { TransactionalClient } from './transactional-client.ts'

export interface TransactionSimulationOptions {
  readonly seed: number
  /** Ends the only life with faults at this step; left out: lives and ends come from the seed. */
  readonly crashAtStep?: number
  readonly trace?: (line: string) => void
  /** Breaks the broker after each start: tests plant bugs with it. */
  readonly sabotage?: (core: BrokerCore) => void
}

const TRANSACTIONAL_IDS = ['one', 'two'] as const
const ENDINGS: readonly Ending[] = ['power', 'power', 'kill', 'stop']
/** Answers that a step at the end waits for. */
const PATIENCE = 500

/**
 * Producers in transactions, two of them with the same id, and readers of both isolation levels, while
 * the broker is killed and its disk fails.
 * @returns how many transactions were committed
 * @throws Violation when a promise was broken
 */
export async function simulateTransactions(options: TransactionSimulationOptions): Promise<number> {
  return new Simulation(options).run()
}

class Simulation {
  readonly #options: TransactionSimulationOptions
  readonly #machine: TransactionMachine
  readonly #ledger = new TransactionLedger()
  readonly #clients: readonly TransactionalClient[]
  readonly #readers: readonly PartitionReader[]
  readonly #offsetReaders: readonly OffsetReader[]

  constructor(options: TransactionSimulationOptions) {
    this.#options = options
    const machine = new TransactionMachine(options.seed, options.trace ?? null)
    const { random } = machine
    this.#machine = machine
    this.#clients = [...TRANSACTIONAL_IDS, TRANSACTIONAL_IDS[0]].map((transactionalId, index) => {
      const version = random.oneIn(2) ? 1 : 2
      const timeoutMs = random.pick([300, 2_000, 60_000])
      const own = { index, transactionalId, version, timeoutMs } as const
      return new TransactionalClient(machine, this.#ledger, own)
    })
    this.#offsetReaders = TRANSACTIONAL_IDS.map(
      (transactionalId) => new OffsetReader(machine, this.#ledger, transactionalId),
    )
    this.#readers = (['read_uncommitted', 'read_committed'] as const).flatMap((isolation) =>
      Array.from(
        { length: DATA_PARTITION_COUNT },
        (_, partition) => new PartitionReader(machine, this.#ledger, partition, isolation),
      ),
    )
  }

  async run(): Promise<number> {
    const { random } = this.#machine
    const { crashAtStep } = this.#options
    await this.#start()
    await this.#createTopic()
    this.#options.sabotage?.(this.#machine.core)
    const all = [...this.#clients, ...this.#readers, ...this.#offsetReaders]
    const running = all.map((one) => one.run())
    const lifeCount = crashAtStep === undefined ? 1 + random.int(5) : 1
    for (let life = 0; life < lifeCount; life++) {
      if (life > 0) await this.#start()
      await this.#steps(crashAtStep ?? 50 + random.int(800))
      await this.#machine.end(crashAtStep === undefined ? random.pick(ENDINGS) : 'power')
    }
    this.#machine.areFaultsOn = false
    await this.#start()
    await this.#steps(100)
    for (const one of all) one.isStopping = true
    await this.#machine.until(Promise.all(running))
    this.#ledger.throwIfBroken()
    // Transactions that nobody ends time out; what a start finds must be the same again.
    await this.#allEnded()
    await this.#check()
    await this.#machine.end('power')
    await this.#start()
    await this.#allEnded()
    const outcomes = await this.#check()
    return [...outcomes.values()].filter((outcome) => outcome === 'commit').length
  }

  async #start(): Promise<void> {
    await this.#machine.start()
    const { core } = this.#machine
    if (core.registry.topic(DATA_TOPIC) !== undefined) this.#options.sabotage?.(core)
  }

  async #createTopic(): Promise<void> {
    const topic = { name: DATA_TOPIC, partitionCount: DATA_PARTITION_COUNT, replicationFactor: 1 }
    const wanted = [{ ...topic, assignments: [], configs: [] }]
    await this.#machine.until(this.#machine.core.topicAdmin.createTopics(wanted, false))
    const { automaticTopics } = this.#machine.core
    for (const name of ['__transaction_state', '__consumer_offsets']) {
      while (automaticTopics.ensure(name) !== 'ready') await this.#machine.step()
    }
  }

  async #steps(count: number): Promise<void> {
    for (let step = 0; step < count; step++) {
      await this.#machine.step()
      this.#ledger.throwIfBroken()
    }
  }

  /** Waits until no transaction is open. */
  async #allEnded(): Promise<void> {
    const filters = { stateFilters: [], producerIdFilters: [] }
    for (let look = 0; look < PATIENCE; look++) {
      const { errorCode, transactionStates } = await this.#insist(() =>
        this.#machine.ask(listTransactionsApi, 0, filters),
      )
      const isEnded = transactionStates.every(({ transactionState }) =>
        /^(Empty|Complete)/.test(transactionState),
      )
      if (errorCode === 0 && isEnded) return
      await this.#machine.pass(1_000)
    }
    expect(false, () => 'a transaction never ends')
  }

  async #check() {
    for (const reader of this.#readers) {
      for (;;) {
        await this.#machine.until(reader.read())
        if (reader.position >= reader.highWatermark && reader.highWatermark > 0) break
        const { logEndOffset = 0 } = this.#logOf(reader.partition) ?? {}
        if (reader.position >= logEndOffset) break
      }
      const { highWatermark, lastStableOffset, partition } = reader
      expect(
        lastStableOffset === highWatermark && reader.position === highWatermark,
        () => `partition ${partition}: LSO ${lastStableOffset} of ${highWatermark} at the end`,
      )
      for (const producer of this.#logOf(partition)?.activeProducers() ?? []) {
        const { producerId, currentTransactionFirstOffset } = producer
        expect(currentTransactionFirstOffset < 0, () => `producer ${producerId} is open`)
      }
    }
    const half = DATA_PARTITION_COUNT
    const logs = this.#readers.slice(0, half).map(({ seen }) => seen)
    const committed = this.#readers.slice(half).map(({ seen }) => seen)
    const outcomes = checkLogs(this.#ledger, logs, committed)
    for (const reader of this.#offsetReaders) {
      const offset = await this.#committedOffset(reader)
      checkOffset(this.#ledger, reader, offset, outcomes)
    }
    return outcomes
  }

  #logOf(partition: number) {
    return this.#machine.core.registry.partition(DATA_TOPIC, partition)?.log
  }

  async #committedOffset(reader: OffsetReader): Promise<number> {
    for (let look = 0; look < PATIENCE; look++) {
      await this.#machine.pass(100)
      const offset = await this.#machine.until(reader.read(true))
      if (offset !== undefined) return offset
    }
    expect(false, () => `the offset of ${reader.transactionalId} is never stable`)
    return -1
  }

  /** Steps until there is an answer. */
  async #insist<T>(call: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await this.#machine.until(call())
      } catch (error) {
        if (!(error instanceof ConnectionLost)) throw error
      }
    }
  }
}
