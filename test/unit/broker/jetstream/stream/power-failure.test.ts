import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ErrorCode } from '../../../../../src/base/error-code.ts'
import { PartitionCoordinatorLog } from '../../../../../src/broker/coordinator/partition-coordinator-log.ts'
import type { OutgoingMessage } from '../../../../../src/broker/jetstream/consumer/consumer-ports.ts'
import { StreamConsumers } from '../../../../../src/broker/jetstream/consumer/stream-consumers.ts'
import {
  type CommitRecords,
  CoordinatedConsumerStore,
} from '../../../../../src/broker/jetstream/coordinator/consumer-ledger.ts'
import { JetStreamMachine } from '../../../../../src/broker/jetstream/coordinator/jetstream-machine.ts'
import { removalRecords } from '../../../../../src/broker/jetstream/coordinator/stream-ledger.ts'
import { Stream } from '../../../../../src/broker/jetstream/stream/stream.ts'
import { SubjectFilter } from '../../../../../src/broker/jetstream/stream/subject-filter.ts'
import { Partition } from '../../../../../src/broker/topics/partition.ts'
import { CONFIG, Harness } from '../../../storage/log-harness.ts'
import { CountingRandom, SILENT } from '../../../support/ports.ts'
import { configOf as consumerConfigOf, STREAM } from '../consumer/consumer-fixture.ts'
import { configOf } from './stream-harness.ts'

const STREAM_ID = 'AAAAAAAAAAAAAAAAAAAAAQ'
const KEPT_ID = 'AAAAAAAAAAAAAAAAAAAAAg'
const ACK_WAIT_MS = 30_000
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
  consumers!: StreamConsumers
  /** Messages whose ack was said to be durable. */
  readonly finished = new Set<number>()
  /** Messages that were given to the client, since the last start. */
  readonly given: OutgoingMessage[] = []
  /** Messages the client said that it is done with. */
  readonly done = new Set<number>()
  #published = 0

  async start(): Promise<void> {
    const { harness } = this
    const { clock, scheduler } = harness
    const kept = new PartitionCoordinatorLog(this.#open('__jetstream', KEPT_ID))
    const machine = new JetStreamMachine(() => undefined)
    const replayed = new Promise<void>((resolve, reject) =>
      kept.replay(
        {
          record: (key, value) => machine.replay(key, value),
          transactionEnded: () => undefined,
        },
        (error) => (error === null ? resolve() : reject(error)),
      ),
    )
    await harness.until(replayed)
    const commit: CommitRecords = (records, done) => {
      const code = kept.append(records, null, clock.nowMs(), done)
      if (code !== ErrorCode.NONE) done(code)
    }
    this.stream = new Stream({
      ...{ config: configOf({}), clock, scheduler, logger: SILENT },
      ...{ createdMs: 1, baseSequence: 1, everySubject: ['s.>'] },
      partition: this.#open('S', STREAM_ID),
      removals: machine.streams.removalsOf(STREAM_ID),
      keepRemovals: (change, done) => {
        commit(removalRecords(STREAM_ID, change), (code) => done(code === ErrorCode.NONE))
      },
      stored: () => undefined,
    })
    await harness.until(this.stream.start())
    await this.#consume(machine, commit)
  }

  async #consume(machine: JetStreamMachine, commit: CommitRecords): Promise<void> {
    const { clock, scheduler } = this.harness
    const store = new CoordinatedConsumerStore(commit)
    this.given.length = 0
    const output = {
      sizeOf: () => 1,
      message: (_: string, outgoing: OutgoingMessage) => {
        const { sequence } = outgoing.message
        assert.ok(!this.finished.has(sequence), 'what was acknowledged does not come again')
        this.given.push(outgoing)
        return false
      },
      status: () => undefined,
      hasInterest: () => true,
      watchInterest: () => ({ stop: () => undefined }),
      advisory: () => undefined,
    }
    const host = {
      reader: this.stream,
      facts: () => STREAM,
      consumersChanged: () => undefined,
      finished: () => undefined,
      neverAgain: (sequence: number) => this.stream.neverAgain(sequence),
    }
    const ports = { clock, scheduler, random: new CountingRandom(), output, logger: SILENT }
    this.consumers = new StreamConsumers(host, store, ports)
    const kept = machine.consumers.consumersOf('S')
    for (const { name, state } of kept) store.restored('S', name, state.length)
    this.consumers.restore(kept)
    if (kept.length > 0) return
    const config = consumerConfigOf({ durable_name: 'C', deliver_subject: 'd' })
    const made = this.consumers.create({ config, action: '', isPedantic: false })
    assert.ok(!('err_code' in (await this.harness.until(made))))
  }

  acknowledgeAll(): void {
    for (const { message, consumerSequence, deliveryCount } of this.given.splice(0)) {
      const { sequence } = message
      const facts = { streamSequence: sequence, consumerSequence, deliveries: deliveryCount }
      this.done.add(sequence)
      this.consumers
        .get('C')
        ?.acknowledge({ ...facts, verb: { kind: 'ack' } }, () => void this.finished.add(sequence))
    }
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
      () => this.acknowledgeAll(),
      () => this.remove(first + 3),
      () => this.publish(),
      () => this.purgeBefore(first + 2),
      () => [1, 2].forEach(() => void this.publish()),
      () => this.remove(first + 5),
      () => this.acknowledgeAll(),
    ]
    for (const step of steps) {
      step()
      this.harness.settle()
    }
  }

  check(): void {
    const floor = this.consumers.get('C')?.info().ackFloor.stream ?? -1
    assert.ok(floor >= 0 && floor <= this.stream.lastSequence, 'the floor is in the stream')
    for (let at = 1; at <= floor; at++) {
      const isOver = this.done.has(at) || this.asked.has(at) || !this.stream.state.index.has(at)
      assert.ok(isOver, 'the floor is not above what was acknowledged')
    }
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
  // What was given before comes again when nobody said that it is done.
  disk.harness.scheduler.advance(ACK_WAIT_MS)
  disk.harness.settle()
  disk.acknowledgeAll()
  disk.harness.settle()
  assert.ok(disk.acknowledged.size >= 7, 'it goes on')
  assert.ok(disk.finished.size >= 5, 'so does its consumer')
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
