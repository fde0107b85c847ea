import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { ErrorCode } from '../../../../src/base/error-code.ts'
import type { EncodedRecord } from '../../../../src/broker/coordinator/coordinator-log.ts'
import {
  readTransactionRecord,
  transactionRecord,
} from '../../../../src/broker/transactions/transaction-log.ts'
import { newTransaction } from '../../../../src/broker/transactions/transaction-metadata.ts'
import type { ProducerIdentity } from '../../../../src/broker/transactions/transaction-requests.ts'
import { TransactionState } from '../../../../src/broker/transactions/transaction-state.ts'
import { ControlRecordType } from '../../../../src/records/control-batch.ts'
import { MemoryCoordinatorLog } from '../groups/memory-coordinator-log.ts'
import { TransactionHarness } from './transaction-harness.ts'

type Step =
  | {
      readonly kind: 'init' | 'add' | 'commit' | 'abort'
      readonly who: number
      readonly at: number
    }
  | { readonly kind: 'diskSlow' | 'diskCatchesUp' | 'diskFails' }
  | { readonly kind: 'markersSlow' | 'markersArrive' | 'restart' | 'wait' }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom('init', 'add', 'add', 'commit', 'abort'),
      who: fc.nat(2),
      at: fc.nat(2),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        ...(['diskSlow', 'diskCatchesUp', 'diskFails'] as const),
        ...(['markersSlow', 'markersArrive', 'restart', 'wait'] as const),
      ),
    }),
  },
)

/** The one before the last, which is kept for the coordinator. */
const LAST_EPOCH = 32_766
const FOUND_PRODUCER_ID = 900

/** What a transaction put into one partition; null: not decided there. */
interface Written {
  readonly transaction: string
  readonly identity: ProducerIdentity
  outcome: 'commit' | 'abort' | null
}

/** Three producers, of which two share an id, and what partitions hold of their transactions. */
class World {
  readonly harness = new TransactionHarness()
  /** By transaction: what the producer was told of its end. */
  readonly told = new Map<string, 'commit' | 'abort'>()
  readonly written: Written[] = []
  readonly #version: number
  readonly #producers = [0, 1, 2].map((who) => ({
    transactionalId: who === 2 ? 'u' : 't',
    identity: null as ProducerIdentity | null,
    count: 0,
  }))
  #seenMarkerCount = 0

  /** @param epoch the ids had this one before, in earlier lives; -1: they are new */
  constructor(version: number, epoch = -1) {
    this.#version = version
    if (epoch === -1) return
    for (const [index, transactionalId] of ['t', 'u'].entries()) {
      const made = newTransaction(transactionalId, FOUND_PRODUCER_ID + index, 60_000, 0)
      const state = TransactionState.COMPLETE_COMMIT
      const lastUpdateTimestampMs = this.harness.clock.nowMs()
      const found = { ...made, producerEpoch: epoch, state, lastUpdateTimestampMs }
      this.harness.log.durable.push(transactionRecord(found, 2))
    }
    this.harness.restart()
  }

  async run(taken: Step): Promise<void> {
    const { log, writer } = this.harness
    switch (taken.kind) {
      case 'diskSlow':
        log.isSlow = true
        break
      case 'diskCatchesUp':
        log.flush()
        log.isSlow = false
        break
      case 'diskFails':
        log.fail()
        log.isSlow = false
        break
      case 'markersSlow':
        writer.isSlow = true
        break
      case 'markersArrive':
        writer.isSlow = false
        writer.arrive()
        break
      case 'restart':
        log.fail()
        this.harness.restart()
        break
      case 'wait':
        await this.harness.advance(10_001)
        break
      default:
        this.#act(taken)
    }
    await this.harness.settle()
    this.takeMarkers()
  }

  /** Everything comes back to order, and all transactions time out. */
  async drain(): Promise<void> {
    await this.run({ kind: 'diskCatchesUp' })
    await this.run({ kind: 'markersArrive' })
    await this.harness.advance(300_000)
    this.takeMarkers()
  }

  takeMarkers(): void {
    const { written } = this.harness.writer
    for (const { name, marker } of written.slice(this.#seenMarkerCount)) {
      for (const entry of this.written) {
        const isOpen = entry.outcome === null && entry.transaction.endsWith(` ${name}`)
        if (!isOpen || entry.identity.producerId !== marker.producerId) continue
        assert.ok(entry.identity.producerEpoch <= marker.producerEpoch, 'no marker is too old')
        entry.outcome = marker.type === ControlRecordType.COMMIT ? 'commit' : 'abort'
      }
    }
    this.#seenMarkerCount = written.length
  }

  #act({ kind, who, at }: Extract<Step, { who: number }>): void {
    const producer = this.#producers[who]
    if (producer === undefined) return
    const { coordinator } = this.harness
    const { transactionalId, identity } = producer
    if (kind === 'init') {
      void coordinator
        .initProducerId({ transactionalId, timeoutMs: 60_000, expected: null })
        .then(({ errorCode, ...got }) => {
          if (errorCode !== ErrorCode.NONE) return
          producer.identity = got
          producer.count++
        })
      return
    }
    if (identity === null) return
    const transaction = `${who} ${producer.count}`
    const request = { ...identity, transactionalId, clientTransactionVersion: this.#version }
    if (kind === 'add') {
      const partitions = [{ topic: 'orders', partition: at }]
      coordinator.addPartitions({ ...request, partitions }, (errorCode) => {
        // Admitted, so the producer's batch goes into the log in this very turn.
        if (errorCode !== ErrorCode.NONE) return
        this.written.push({ transaction: `${transaction} orders-${at}`, identity, outcome: null })
      })
      return
    }
    void coordinator
      .endTransaction({ ...request, isCommit: kind === 'commit' })
      .then(({ errorCode, ...got }) => {
        if (errorCode !== ErrorCode.NONE || producer.identity !== identity) return
        if (!this.told.has(transaction)) this.told.set(transaction, kind)
        if (this.#version >= 2) producer.identity = got
        producer.count++
      })
  }
}

const transactionOf = ({ transaction }: Written): string =>
  transaction.slice(0, transaction.lastIndexOf(' '))

describe('transactions over any interleaving, failing disks and crashes', () => {
  for (const [version, epoch, ids] of [
    [1, -1, 'new ids'],
    [2, -1, 'new ids'],
    [1, LAST_EPOCH - 1, 'ids that run out of epochs'],
    [2, LAST_EPOCH - 1, 'ids that run out of epochs'],
  ] as const) {
    it(`end the same way everywhere, as was told (version ${version}, ${ids})`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async (steps) => {
          const world = new World(version, epoch)
          for (const taken of steps) await world.run(taken)
          await world.drain()
          for (const entry of world.written) {
            const told = world.told.get(transactionOf(entry))
            assert.notEqual(entry.outcome, null, `${entry.transaction} is left open`)
            if (told !== undefined) assert.equal(entry.outcome, told, entry.transaction)
          }
          const outcomes = new Map<string, string | null>()
          for (const entry of world.written) {
            const first = outcomes.get(transactionOf(entry)) ?? entry.outcome
            assert.equal(entry.outcome, first, `${entry.transaction} is torn`)
            outcomes.set(transactionOf(entry), first)
          }
        }),
        { numRuns: 100 },
      )
    })
  }
})

const decode = ({ key, value }: EncodedRecord) => readTransactionRecord(key, value)?.transaction

describe('a coordinator that stops after any record of its log', () => {
  /** All that can happen to two ids, in one log. */
  async function history(): Promise<readonly EncodedRecord[]> {
    const world = new World(2)
    const kinds = ['init', 'add', 'commit', 'add', 'add', 'abort', 'add', 'init', 'init'] as const
    for (const [index, kind] of kinds.entries()) {
      for (const who of [0, 2]) await world.run({ kind, who, at: index % 3 })
    }
    await world.drain()
    return world.harness.log.durable
  }

  it('completes what was decided as decided, and aborts in time what was not', async () => {
    const records = await history()
    assert.ok(records.length > 20)
    for (let length = 0; length <= records.length; length++) {
      const log = new MemoryCoordinatorLog()
      log.durable.push(...records.slice(0, length))
      const before = new Map(
        log.durable.map(decode).flatMap((known) => (known ? [[known.transactionalId, known]] : [])),
      )
      const harness = new TransactionHarness()
      harness.restart(log)
      await harness.settle()
      await harness.advance(300_000)
      const after = new Map(
        log.durable.map(decode).flatMap((known) => (known ? [[known.transactionalId, known]] : [])),
      )
      assert.equal(after.size, before.size)
      for (const [transactionalId, { state, partitions }] of before) {
        const isOpen = [
          TransactionState.ONGOING,
          TransactionState.PREPARE_COMMIT,
          TransactionState.PREPARE_ABORT,
        ].some((open) => open === state)
        const isCommit = state === TransactionState.PREPARE_COMMIT
        const ended = isCommit ? TransactionState.COMPLETE_COMMIT : TransactionState.COMPLETE_ABORT
        assert.equal(after.get(transactionalId)?.state, isOpen ? ended : state, `cut at ${length}`)
        if (!isOpen) continue
        const type = isCommit ? ControlRecordType.COMMIT : ControlRecordType.ABORT
        for (const index of partitions.get('orders') ?? []) {
          const markers = harness.writer.written.filter(({ name }) => name === `orders-${index}`)
          assert.ok(
            markers.some(({ marker }) => marker.type === type),
            `cut at ${length}: orders-${index}`,
          )
        }
      }
    }
  })

  it('finds the state that was there, whatever it was', async () => {
    const records = await history()
    for (let length = 0; length <= records.length; length++) {
      const log = new MemoryCoordinatorLog()
      log.durable.push(...records.slice(0, length))
      const harness = new TransactionHarness()
      harness.writer.isSlow = true
      harness.restart(log)
      const last = new Map<string, ReturnType<typeof decode>>()
      for (const record of log.durable) {
        const known = decode(record)
        if (known) last.set(known.transactionalId, known)
      }
      for (const [transactionalId, known] of last) {
        const found = harness.coordinator.describe(transactionalId)
        await harness.settle()
        const { producerId, producerEpoch, partitions } = await found
        assert.deepEqual(
          { producerId, producerEpoch, partitions },
          {
            producerId: known?.producerId,
            producerEpoch: known?.producerEpoch,
            partitions: known?.partitions,
          },
        )
      }
    }
  })
})
