import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { StreamIndex } from '../../../../../src/broker/jetstream/stream/stream-index.ts'
import type { StreamReader } from '../../../../../src/broker/jetstream/stream/stream-reader.ts'
import { SubjectFilter } from '../../../../../src/broker/jetstream/stream/subject-filter.ts'

interface Message {
  readonly sequence: number
  readonly subject: string
  readonly size: number
  readonly timeMs: number
}

/** The same by looking at every message. */
class PlainStream {
  messages: Message[] = []
  lastSequence = 0

  pass(filter: SubjectFilter): Message[] {
    return this.messages.filter(({ subject }) => filter.passes(subject))
  }

  lastPerSubject(filter: SubjectFilter, upTo: number): number[] {
    const lasts = new Map<string, number>()
    for (const { subject, sequence } of this.pass(filter)) {
      if (sequence <= upTo) lasts.set(subject, sequence)
    }
    return [...lasts.values()].sort((a, b) => a - b)
  }
}

/** What readers of a stream ask the index. */
type Answers = Pick<
  StreamReader,
  'firstSequence' | 'lastSequence' | 'nextSequence' | 'pendingCount' | 'lastPerSubject'
>

const FILTERS = [[], ['a.*'], ['a.1'], ['*.2'], ['b.>'], ['a.3', 'b.3'], ['none']]

type Step =
  | { readonly kind: 'append'; readonly subject: string; readonly gap: number }
  | { readonly kind: 'remove'; readonly pick: number }
  | { readonly kind: 'purge'; readonly pick: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      subject: fc.constantFrom('a.1', 'a.2', 'a.3', 'b.1', 'b.2', 'b.3', 'c'),
      gap: fc.constantFrom(1, 1, 1, 1, 2, 5000),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('remove' as const), pick: fc.nat(1000) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('purge' as const), pick: fc.nat(20) }) },
)

function play(index: StreamIndex, plain: PlainStream, one: Step): void {
  if (one.kind === 'append') {
    const sequence = plain.lastSequence + one.gap
    const message = { sequence, subject: one.subject, size: sequence % 97, timeMs: sequence * 10 }
    index.append(sequence, message.subject, message.size, message.timeMs)
    plain.messages.push(message)
    plain.lastSequence = sequence
    return
  }
  const count = one.kind === 'remove' ? 1 : Math.min(one.pick, plain.messages.length)
  const at = one.kind === 'remove' ? one.pick % Math.max(1, plain.messages.length) : 0
  for (const { sequence } of plain.messages.splice(at, count)) {
    assert.equal(index.remove(sequence), true)
    assert.equal(index.remove(sequence), false)
  }
}

function compare(index: StreamIndex, plain: PlainStream): void {
  const { messages, lastSequence } = plain
  assert.equal(index.lastSequence, lastSequence)
  assert.equal(index.firstSequence, messages[0]?.sequence ?? lastSequence + 1)
  assert.equal(index.messageCount, messages.length)
  assert.equal(
    index.byteCount,
    messages.reduce((sum, { size }) => sum + size, 0),
  )
  const froms = [
    0,
    index.firstSequence,
    Math.floor(lastSequence / 2),
    lastSequence,
    lastSequence + 1,
  ]
  for (const subjects of FILTERS) {
    const filter = new SubjectFilter(subjects)
    const passing = plain.pass(filter)
    for (const from of froms) {
      const rest = passing.filter(({ sequence }) => sequence >= from)
      assert.equal(index.pendingCount(from, filter), rest.length)
      assert.equal(index.nextSequence(from, filter), rest[0]?.sequence ?? Number.POSITIVE_INFINITY)
      const lasts = plain.lastPerSubject(filter, from)
      assert.deepEqual(index.lastPerSubject(filter, from), lasts)
    }
    const counts = new Map(index.countsPerSubject(filter))
    assert.equal(
      [...counts.values()].reduce((sum, count) => sum + count, 0),
      passing.length,
    )
  }
  const middle = messages[Math.floor(messages.length / 2)]
  if (middle === undefined) return
  assert.equal(index.sequenceAtTime(middle.timeMs - 5), middle.sequence)
  assert.equal(index.subjectOf(middle.sequence), middle.subject)
  assert.equal(index.timeOf(middle.sequence), middle.timeMs)
}

describe('the index of a stream', () => {
  it('answers as a look at every message would, whatever was added and removed', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const index = new StreamIndex(1)
        const plain = new PlainStream()
        for (const one of steps) play(index, plain, one)
        compare(index, plain)
      }),
      { numRuns: 200 },
    )
  })

  it('answers likewise when more subjects pass than are asked one by one', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const index = new StreamIndex(1)
        const plain = new PlainStream()
        for (let number = 0; number < 200; number++) {
          const subject = `${number % 3 === 0 ? 'c' : 'a'}.key${number}`
          play(index, plain, { kind: 'append', subject, gap: number % 50 === 49 ? 9000 : 1 })
        }
        for (const one of steps) play(index, plain, one)
        compare(index, plain)
      }),
      { numRuns: 100 },
    )
  })

  it('gives numbers to the subjects anew when most of them are used no more', () => {
    const index = new StreamIndex(1)
    const filter = new SubjectFilter(['keep.*'])
    index.append(1, 'keep.1', 1, 1)
    for (let sequence = 2; sequence < 5000; sequence++) {
      index.append(sequence, `gone.${sequence}`, 1, 1)
      if (sequence === 2500) index.append(++sequence, 'keep.2', 1, 1)
      assert.equal(index.pendingCount(1, filter), sequence <= 2500 ? 1 : 2)
      index.remove(sequence === 2501 ? 2500 : sequence)
    }
    assert.ok(index.subjects.count < 2100)
    assert.deepEqual(index.lastPerSubject(filter), [1, 2501])
    assert.equal(index.nextSequence(2, filter), 2501)
  })

  it('begins where it is told, and says so while it is empty', () => {
    const index = new StreamIndex(100)
    const answers: Answers = index
    assert.equal(answers.firstSequence, 100)
    assert.equal(answers.lastSequence, 99)
    assert.equal(answers.pendingCount(1, new SubjectFilter([])), 0)
    index.skipTo(120)
    assert.equal(index.firstSequence, 121)
    index.append(121, 'a', 5, 7)
    assert.equal(index.lastOf('a'), 121)
    assert.equal(index.previous(500), 121)
  })

  it('keeps times that lie far apart', () => {
    const index = new StreamIndex(1)
    index.append(1, 'a', 1, 1_000)
    index.append(2, 'a', 1, 1_000 + 2 ** 33)
    index.append(3, 'a', 1, 5)
    assert.deepEqual(
      [1, 2, 3].map((one) => index.timeOf(one)),
      [1_000, 1_000 + 2 ** 33, 5],
    )
  })
})
