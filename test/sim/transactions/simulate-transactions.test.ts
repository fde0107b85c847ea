import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { BrokerCore } from '../../../src/app/broker-core.ts'
import { ErrorCode } from '../../../src/base/error-code.ts'
import { ControlRecordType } from '../../../src/records/control-batch.ts'
import { simulateTransactions } from './simulate-transactions.ts'
import { Violation } from './transaction-ledger.ts'
import { DATA_TOPIC } from './transaction-machine.ts'

const FIRST_SEED = 1
const SEED_COUNT = 20
const SWEEP_SEED = 3
const SWEEP_STEPS = 400
const SWEEP_STRIDE = 29
/** So many seeds at most, until a planted bug shows. */
const BUG_SEED_COUNT = 20

describe('transactions while the broker is killed and its disk fails', () => {
  it('are whole, as told, seen only when committed, and never lost, over many seeds', async () => {
    let committedCount = 0
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEED_COUNT; seed++) {
      try {
        committedCount += await simulateTransactions({ seed })
      } catch (error) {
        throw new Error(`node test/sim/transactions/run.ts ${seed}`, { cause: error })
      }
    }
    assert.ok(committedCount > SEED_COUNT, `${committedCount} transactions were committed`)
  })

  it('are so wherever the power fails', async () => {
    for (let crashAtStep = 1; crashAtStep < SWEEP_STEPS; crashAtStep += SWEEP_STRIDE) {
      try {
        await simulateTransactions({ seed: SWEEP_SEED, crashAtStep })
      } catch (error) {
        throw new Error(`seed ${SWEEP_SEED}, crash at step ${crashAtStep}`, { cause: error })
      }
    }
  })
})

describe('the checker of transactions', () => {
  /** What it says of the first seed that shows the bug. */
  const findsIn = async (sabotage: (core: BrokerCore) => void): Promise<string> => {
    for (let seed = FIRST_SEED; seed < FIRST_SEED + BUG_SEED_COUNT; seed++) {
      try {
        await simulateTransactions({ seed, sabotage })
      } catch (error) {
        assert.ok(error instanceof Violation, String(error))
        return error.message
      }
    }
    return 'nothing'
  }

  it('finds a marker that says the other thing', async () => {
    let markerCount = 0
    const found = await findsIn(({ transactions: { writer } }) => {
      const write = writer.write.bind(writer)
      writer.write = (partition, marker, done) => {
        const isWrong = partition.topic === DATA_TOPIC && ++markerCount % 10 === 0
        const isCommit = marker.type === ControlRecordType.COMMIT
        const other = isCommit ? ControlRecordType.ABORT : ControlRecordType.COMMIT
        write(partition, isWrong ? { ...marker, type: other } : marker, done)
      }
    })
    assert.match(found, /is torn|but was told|is committed/)
  })

  it('finds a marker that was said to be written', async () => {
    let markerCount = 0
    const found = await findsIn(({ transactions: { writer } }) => {
      const write = writer.write.bind(writer)
      writer.write = (partition, marker, done) => {
        const isLost = partition.topic === DATA_TOPIC && ++markerCount % 10 === 0
        if (isLost) done(ErrorCode.NONE)
        else write(partition, marker, done)
      }
    })
    assert.notEqual(found, 'nothing')
  })

  it('finds batches that are let in without their coordinator', async () => {
    const found = await findsIn(({ transactions: { admission } }) => {
      admission.admit = ({ partitions }, done) => done(partitions.map(() => ErrorCode.NONE))
    })
    assert.notEqual(found, 'nothing')
  })

  it('finds readers of committed records that see open ones', async () => {
    const found = await findsIn(({ registry }) => {
      for (const { log } of registry.topic(DATA_TOPIC)?.partitions ?? []) {
        Object.defineProperty(log, 'lastStableOffset', {
          get: () => log.highWatermark,
          configurable: true,
        })
      }
    })
    assert.match(found, /committed are/)
  })

  it('finds offsets that an aborted transaction commits', async () => {
    const found = await findsIn(({ groups }) => {
      const end = groups.endTransaction.bind(groups)
      groups.endTransaction = (index, marker, done) =>
        end(index, { ...marker, type: ControlRecordType.COMMIT }, done)
    })
    assert.match(found, /has offset|showed offset/)
  })

  it('finds a coordinator that does not fence', async () => {
    const found = await findsIn(({ transactions: { coordinator } }) => {
      const init = coordinator.initProducerId.bind(coordinator)
      let last: Awaited<ReturnType<typeof init>> | undefined
      coordinator.initProducerId = async (request) => {
        const answer = await init(request)
        if (request.transactionalId === 'one' && answer.errorCode === ErrorCode.NONE)
          last ??= answer
        return request.transactionalId === 'one' && last !== undefined ? last : answer
      }
    })
    assert.notEqual(found, 'nothing')
  })
})
