import { ErrorCode } from '../../../src/base/error-code.ts'
import { offsetFetchApi } from '../../../src/wire/kafka/messages/09-offset-fetch.ts'
import { expect, groupOf, type TransactionLedger } from './transaction-ledger.ts'
import { ConnectionLost, DATA_TOPIC, type TransactionMachine } from './transaction-machine.ts'

/** Nothing was committed yet. */
const NO_OFFSET = -1

/** Looks at the committed offset of a group all the time, as consumers that start do. */
export class OffsetReader {
  readonly #machine: TransactionMachine
  readonly #ledger: TransactionLedger
  readonly transactionalId: string
  /** Each offset that was ever told: the id of the transaction that committed it. */
  readonly seen = new Set<number>()
  #last = NO_OFFSET
  isStopping = false

  constructor(machine: TransactionMachine, ledger: TransactionLedger, transactionalId: string) {
    this.#machine = machine
    this.#ledger = ledger
    this.transactionalId = transactionalId
  }

  async run(): Promise<void> {
    try {
      while (!this.isStopping) {
        await this.read(this.#machine.random.oneIn(2))
        await this.#machine.pause()
      }
    } catch (error) {
      this.#ledger.fail(error as Error)
    }
  }

  /**
   * @param requireStable no answer while a transaction may change it (KIP-447)
   * @returns undefined when there was no answer
   */
  async read(requireStable: boolean): Promise<number | undefined> {
    const groupId = groupOf(this.transactionalId)
    const topics = [{ name: DATA_TOPIC, partitionIndexes: [0] }]
    try {
      const request = { groups: [{ groupId, topics }], requireStable }
      const answer = await this.#machine.ask(offsetFetchApi, 8, request)
      const [group] = answer.groups
      const partition = group?.topics[0]?.partitions[0]
      if (group?.errorCode !== ErrorCode.NONE || partition?.errorCode !== ErrorCode.NONE) {
        return undefined
      }
      this.#take(partition.committedOffset)
      return partition.committedOffset
    } catch (error) {
      if (error instanceof ConnectionLost) return undefined
      throw error
    }
  }

  #take(offset: number): void {
    const { transactionalId } = this
    expect(
      offset >= this.#last,
      () => `${transactionalId} went back from ${this.#last} to ${offset}`,
    )
    this.#last = offset
    if (offset !== NO_OFFSET) this.seen.add(offset)
  }
}
