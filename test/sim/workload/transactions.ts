import { checkCommitted, checkEndedTransactions } from '../checker/check-transactions.ts'
import {
  TRANSACTION_PARTITIONS,
  TRANSACTION_TOPIC,
  TransactionLedger,
} from '../ledger/transaction-ledger.ts'
import { SimFailure } from '../world/sim-failure.ts'
import { clientOf, type KafkaClient } from './kafka-client.ts'
import { batchesOf, readSlice } from './read-log.ts'
import type { Session } from './session.ts'
import { TransactionalProducer } from './transactional-producer.ts'

const TRANSACTIONAL_IDS = ['one', 'two']
/** Of the event loop, until transactions of a broker that has started are over. */
const MAX_TURNS = 20_000

/** Producers of transactions, through all lives of the broker. */
export class Transactions {
  readonly ledger = new TransactionLedger()
  /** Whether the seed has them. */
  readonly isOn: boolean
  #producers: TransactionalProducer[] = []

  constructor(isOn: boolean) {
    this.isOn = isOn
  }

  /** The broker is there again: the producers have restarted too. */
  begin(session: Session, client: KafkaClient): void {
    if (!this.isOn) return
    const { core } = session
    if (core.registry.topic(TRANSACTION_TOPIC) === undefined) this.#createTopic(session)
    this.#producers = TRANSACTIONAL_IDS.map(
      (id) => new TransactionalProducer(session, client, this.ledger, id),
    )
    for (const producer of this.#producers) producer.start()
  }

  /** After each turn. */
  look({ core }: Session): void {
    const { partitions } = core.registry.topic(TRANSACTION_TOPIC) ?? { partitions: [] }
    for (const [index, { log }] of partitions.entries())
      if (!log.isFailed) this.ledger.seen(index, log.highWatermark, log.lastStableOffset)
  }

  /** A consumer of committed records, from anywhere. */
  consume(session: Session): void {
    const { core, machine, random } = session
    const index = random.int(TRANSACTION_PARTITIONS)
    const { log } = core.registry.partition(TRANSACTION_TOPIC, index) ?? {}
    if (!this.isOn || log === undefined || log.isFailed || machine.faults.flipsBits) return
    const { logStartOffset, lastStableOffset } = log
    if (lastStableOffset <= logStartOffset) return
    const offset = logStartOffset + random.int(lastStableOffset - logStartOffset)
    session.answered(
      readSlice(log, offset, 1 + random.int(2000), true),
      (slice) => {
        const { abortedTransactions } = slice
        checkCommitted(this.ledger, index, batchesOf(slice) ?? [], abortedTransactions)
      },
      () => undefined,
    )
  }

  /** Lets a broker on a good disk end all transactions, which it must, and looks at each. */
  async settle(session: Session): Promise<void> {
    const { core, machine } = session
    if (!this.isOn || core.registry.topic(TRANSACTION_TOPIC) === undefined) return
    this.begin(session, clientOf(session))
    for (const producer of this.#producers) producer.isLast = true
    for (let turns = 0; !this.#isOver(session); turns++) {
      if (turns > MAX_TURNS) throw new SimFailure('a transaction is never over')
      await machine.until(machine.turn())
    }
    await checkEndedTransactions(session, this.ledger)
  }

  #isOver({ core }: Session): boolean {
    if (!this.#producers.every(({ isInitialized }) => isInitialized)) return false
    const { partitions } = core.registry.topic(TRANSACTION_TOPIC) ?? { partitions: [] }
    return partitions.every(({ log }) => log.lastStableOffset === log.highWatermark)
  }

  #createTopic(session: Session): void {
    const { core, random } = session
    const configs = [
      { name: 'segment.index.bytes', value: random.pick(['32', '128', '10485760']) },
      { name: 'index.interval.bytes', value: random.pick(['0', '4096']) },
    ]
    const wanted = {
      name: TRANSACTION_TOPIC,
      partitionCount: TRANSACTION_PARTITIONS,
      replicationFactor: 1,
      assignments: [],
      configs,
    }
    session.answered(
      core.topicAdmin.createTopics([wanted], false),
      () => undefined,
      () => undefined,
    )
  }
}
