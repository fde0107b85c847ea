import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ErrorCode } from '../../../../../src/base/error-code.ts'
import { PartitionCoordinatorLog } from '../../../../../src/broker/coordinator/partition-coordinator-log.ts'
import {
  removalRecords,
  StreamLedger,
} from '../../../../../src/broker/jetstream/coordinator/stream-ledger.ts'
import { Stream } from '../../../../../src/broker/jetstream/stream/stream.ts'
import { SubjectFilter } from '../../../../../src/broker/jetstream/stream/subject-filter.ts'
import { Partition } from '../../../../../src/broker/topics/partition.ts'
import { decodeJetStreamRecord } from '../../../../../src/records/internal/jetstream-records.ts'
import { CONFIG, Harness } from '../../../storage/log-harness.ts'
import { SILENT } from '../../../support/ports.ts'
import { configOf } from './stream-harness.ts'

const STREAM_ID = 'AAAAAAAAAAAAAAAAAAAAAQ'
const KEPT_ID = 'AAAAAAAAAAAAAAAAAAAAAg'
const EVERYTHING = new SubjectFilter([])

/** A stream and the records of `__jetstream` about it, on one disk that can lose its power. */
class StreamOnDisk {
  readonly harness = new Harness()
  /** Subjects by sequence, as publishers were told. */
  readonly acknowledged = new Map<number, string>()
  /** Removed, and who asked for it was told so. */
  readonly removed = new Set<number>()
  /** A removal was asked for: the message may be there or not. */
  readonly asked = new Set<number>()
  stream!: Stream
  #published = 0

  async start(): Promise<void> {
    const { harness } = this
    const { clock, scheduler } = harness
    const kept = new PartitionCoordinatorLog(this.#open('__jetstream', KEPT_ID))
    const ledger = new StreamLedger()
    const replayed = new Promise<void>((resolve, reject) =>
      kept.replay(
        {
          record: (key, value) => {
            const record = decodeJetStreamRecord(key, value)
            if (record?.name.startsWith('JetStreamRem') === true) ledger.replay(record as never)
          },
          transactionEnded: () => undefined,
        },
        (error) => (error === null ? resolve() : reject(error)),
      ),
    )
    await harness.until(replayed)
    this.stream = new Stream({
      ...{ config: configOf({}), clock, scheduler, logger: SILENT },
      ...{ createdMs: 1, baseSequence: 1, everySubject: ['s.>'] },
      partition: this.#open('S', STREAM_ID),
      removals: ledger.removalsOf(STREAM_ID),
      keepRemovals: (change, done) => {
        const told = (code: ErrorCode) => done(code === ErrorCode.NONE)
        const code = kept.append(removalRecords(STREAM_ID, change), null, clock.nowMs(), told)
        if (code !== ErrorCode.NONE) told(code)
      },
      stored: () => undefined,
    })
    await harness.until(this.stream.start())
  }

  publish(): void {
    const subject = `s.${++this.#published}`
    this.stream.publish({ subject, headers: null, payload: Buffer.from('x') }, (outcome) => {
      if ('err_code' in outcome) return
      assert.ok(!this.acknowledged.has(outcome.sequence), 'a sequence is given once')
      this.acknowledged.set(outcome.sequence, subject)
    })
  }

  remove(sequence: number): void {
    this.asked.add(sequence)
    this.stream.removeMessage(sequence, (isThere, isKept) => {
      if (isThere && isKept) this.removed.add(sequence)
    })
  }

  purgeBefore(before: number): void {
    const gone = [...this.acknowledged.keys()].filter((sequence) => sequence < before)
    for (const sequence of gone) this.asked.add(sequence)
    this.stream.purge(EVERYTHING, before, 0, (_, isKept) => {
      if (isKept) for (const sequence of gone) this.removed.add(sequence)
    })
  }

  /** Publishes, deletes and purges; each waits for the disk. */
  work(): void {
    const first = this.stream.lastSequence + 1
    const steps = [
      () => [1, 2, 3, 4].forEach(() => void this.publish()),
      () => this.remove(first + 3),
      () => this.publish(),
      () => this.purgeBefore(first + 2),
      () => [1, 2].forEach(() => void this.publish()),
      () => this.remove(first + 5),
    ]
    for (const step of steps) {
      step()
      this.harness.settle()
    }
  }

  check(): void {
    const { index } = this.stream.state
    for (const [sequence, subject] of this.acknowledged) {
      assert.ok(sequence <= index.lastSequence, 'sequences do not go back')
      if (this.removed.has(sequence)) assert.ok(!index.has(sequence), 'what was removed stays away')
      else if (!this.asked.has(sequence)) assert.ok(index.has(sequence), 'what was stored is there')
      if (index.has(sequence)) assert.equal(index.subjectOf(sequence), subject)
    }
  }

  #open(topic: string, topicId: string): Partition {
    const partition = new Partition(topic, topicId, 0)
    const identity = { topic, topicId, partition: 0, leaderEpoch: 0 }
    partition.attach(this.harness.manager.openLog(identity, CONFIG, partition))
    return partition
  }
}

/** @returns whether the work was over before the power failed */
async function failAt(operation: number, keepsWritten: boolean): Promise<boolean> {
  const disk = new StreamOnDisk()
  const { fs } = disk.harness
  await disk.start()
  let count = 0
  // Nothing reaches the disk any more once the power is gone.
  fs.fault = () => (++count > operation ? { code: 'EIO' } : undefined)
  disk.work()
  const isOver = count <= operation
  fs.fault = undefined
  fs.crash(keepsWritten ? (_, synced, written) => synced + ((written - synced) >> 1) : undefined)
  disk.harness.start()
  await disk.start()
  disk.check()
  disk.work()
  assert.ok(disk.acknowledged.size >= 7, 'it goes on')
  fs.crash()
  disk.harness.start()
  await disk.start()
  disk.check()
  return isOver
}

describe('a stream whose machine loses its power', () => {
  for (const keepsWritten of [false, true]) {
    const what = keepsWritten ? 'torn writes' : 'nothing that was not synced'
    it(`keeps what it answered, at each operation of the disk, with ${what}`, async () => {
      let operation = 0
      while (!(await failAt(operation, keepsWritten))) operation++
      assert.ok(operation > 10, 'the disk had work')
    })
  }
})
