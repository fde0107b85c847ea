import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { OriginFollower } from '../../../../../../src/broker/jetstream/stream/origin/origin-follower.ts'
import {
  MirrorSink,
  SourceSink,
} from '../../../../../../src/broker/jetstream/stream/origin/origin-sinks.ts'
import type { Stream } from '../../../../../../src/broker/jetstream/stream/stream.ts'
import type {
  StreamSource,
  WantedStream,
} from '../../../../../../src/broker/jetstream/stream/stream-config.ts'
import { SubjectFilter } from '../../../../../../src/broker/jetstream/stream/subject-filter.ts'
import { configOf, StreamHarness } from '../stream-harness.ts'

const ALL = new SubjectFilter([])

/** An origin and a stream that copies from it. */
class Pair {
  readonly origin: StreamHarness
  readonly copy: StreamHarness
  readonly #isMirror: boolean
  readonly #source: StreamSource
  origins: Stream | undefined
  follower: OriginFollower

  private constructor(origin: StreamHarness, copy: StreamHarness, source: StreamSource) {
    this.origin = origin
    this.copy = copy
    this.origins = origin.stream
    this.#source = source
    this.#isMirror = copy.stream.config.mirror !== undefined
    this.follower = this.#follow()
  }

  static async mirror(source: StreamSource, wanted: Omit<WantedStream, 'name'> = {}) {
    return Pair.#make(source, { subjects: [], mirror: source, ...wanted })
  }

  static async source(source: StreamSource, wanted: Omit<WantedStream, 'name'> = {}) {
    return Pair.#make(source, { subjects: [], sources: [source], ...wanted })
  }

  static async #make(source: StreamSource, wanted: Omit<WantedStream, 'name'>): Promise<Pair> {
    const origin = await StreamHarness.start(configOf({}))
    return new Pair(origin, await StreamHarness.start(configOf(wanted)), source)
  }

  /** Until nothing is under way. */
  settle(): void {
    for (let i = 0; i < 8; i++) {
      this.origin.settle()
      this.copy.settle()
    }
  }

  async restart(): Promise<void> {
    this.follower.close()
    await this.copy.restart()
    this.follower = this.#follow()
  }

  get subjects(): string[] {
    const { stream } = this.copy
    const found: string[] = []
    for (let at = stream.nextSequence(0, ALL); Number.isFinite(at); ) {
      found.push(`${at} ${stream.state.index.subjectOf(at)}`)
      at = stream.nextSequence(at + 1, ALL)
    }
    return found
  }

  #follow(): OriginFollower {
    const { stream, clock, scheduler } = this.copy
    const sink = this.#isMirror ? new MirrorSink(stream) : new SourceSink(stream, this.#source)
    const find = () => this.origins
    const follower = new OriginFollower({ source: this.#source, sink, clock, scheduler, find })
    follower.start()
    return follower
  }
}

describe('a mirror', () => {
  it('has the sequences of its origin: gaps are offsets without a record, also after a restart', async () => {
    const pair = await Pair.mirror({ name: 'O', filter_subject: 's.a' })
    for (const token of ['b', 'a', 'b', 'b', 'a']) pair.origin.publish(`s.${token}`)
    pair.settle()
    assert.deepEqual(pair.subjects, ['2 s.a', '5 s.a'])
    assert.deepEqual([pair.copy.stream.firstSequence, pair.copy.log.logEndOffset], [2, 5])
    const before = pair.copy.snapshot()
    await pair.restart()
    assert.deepEqual(pair.copy.snapshot(), before)
    pair.origin.publish('s.a')
    pair.settle()
    assert.deepEqual(pair.subjects, ['2 s.a', '5 s.a', '6 s.a'])
  })

  it('refuses Kafka producers until it is none any more', async () => {
    const { copy } = await Pair.mirror({ name: 'O' })
    assert.match(copy.partition.readOnlyReason ?? '', /mirrors O/)
    copy.stream.configure(configOf({}), ['s.>'])
    assert.equal(copy.partition.readOnlyReason, null)
  })

  it('keeps the times of its origin', async () => {
    const pair = await Pair.mirror({ name: 'O' })
    pair.origin.scheduler.advance(5000)
    pair.origin.publish('s.a')
    pair.settle()
    const its = pair.origin.stream.state.index.timeOf(1)
    assert.equal(pair.copy.stream.state.index.timeOf(1), its)
    await pair.restart()
    assert.equal(pair.copy.stream.state.index.timeOf(1), its)
  })

  it('that discards new messages waits at its limit, and goes on in order', async () => {
    const pair = await Pair.mirror({ name: 'O' }, { max_msgs: 2, discard: 'new' })
    for (let i = 1; i <= 4; i++) pair.origin.publish(`s.${i}`)
    pair.settle()
    assert.deepEqual(pair.subjects, ['1 s.1', '2 s.2'])
    assert.equal(pair.follower.status.lag, 2)
    pair.copy.purge([])
    pair.copy.scheduler.advance(1000)
    pair.settle()
    assert.deepEqual(pair.subjects, ['3 s.3', '4 s.4'])
  })
})

describe('a source', () => {
  it('is copied once, though the broker ended while copies were under way', async () => {
    const pair = await Pair.source({ name: 'O' })
    pair.origin.publish('s.1')
    pair.settle()
    pair.origin.publish('s.2')
    pair.copy.scheduler.finishTurn()
    await pair.restart()
    pair.settle()
    assert.deepEqual(pair.subjects, ['1 s.1', '2 s.2'])
  })

  it('stops at a message that has no room, and no later one passes it', async () => {
    const pair = await Pair.source({ name: 'O' }, { max_msg_size: 200 })
    pair.origin.publish('s.1')
    pair.origin.publish('s.2', {}, 'x'.repeat(300))
    pair.origin.publish('s.3')
    pair.settle()
    assert.deepEqual(pair.subjects, ['1 s.1'])
    assert.equal(pair.follower.status.lag, 2)
    pair.origin.stream.removeMessage(2, () => undefined)
    pair.copy.scheduler.advance(1000)
    pair.settle()
    assert.deepEqual(pair.subjects, ['1 s.1', '2 s.3'])
  })

  it('rolls up only where the stream allows it', async () => {
    const pair = await Pair.source({ name: 'O' })
    pair.origin.stream.configure(configOf({ allow_rollup_hdrs: true }), ['s.>'])
    pair.origin.publish('s.1')
    pair.settle()
    pair.origin.publish('s.1', { 'Nats-Rollup': 'sub' })
    pair.settle()
    assert.deepEqual(pair.subjects, ['1 s.1', '2 s.1'])
  })

  it('that was made anew is copied from its beginning', async () => {
    const pair = await Pair.source({ name: 'O' })
    for (const token of ['1', '2']) pair.origin.publish(`s.${token}`)
    pair.settle()
    pair.follower.gone()
    pair.origins = undefined
    assert.equal(pair.follower.status.error?.err_code, 10059)
    const other = await StreamHarness.start(configOf({}))
    pair.origins = new Proxy(other.stream, {
      get(target, name) {
        const value: unknown = name === 'createdMs' ? 2 : Reflect.get(target, name, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    other.publish('s.new')
    pair.follower.start()
    pair.settle()
    assert.deepEqual(pair.subjects, ['1 s.1', '2 s.2', '3 s.new'])
  })
})
