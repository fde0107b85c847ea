import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { copiesItself } from '../../../../../../src/broker/jetstream/stream/origin/source-cycles.ts'
import {
  parseSourceHeader,
  sourcedFacts,
  sourcedHeaders,
  sourceHeaderOf,
  sourceKeyOf,
} from '../../../../../../src/broker/jetstream/stream/origin/source-header.ts'
import { SourcePositions } from '../../../../../../src/broker/jetstream/stream/origin/source-positions.ts'
import { SourceSubjects } from '../../../../../../src/broker/jetstream/stream/origin/source-subjects.ts'
import { publishFactsOf } from '../../../../../../src/broker/jetstream/stream/publish-facts.ts'
import type {
  StreamConfig,
  StreamSource,
} from '../../../../../../src/broker/jetstream/stream/stream-config.ts'
import { configOf } from '../stream-harness.ts'

describe('the header of a copy', () => {
  it('names stream, sequence, filter, destination and subject as nats-server does', () => {
    const source = sourceKeyOf({ name: 'O', filter_subject: 'a.*' })
    const header = sourceHeaderOf({ source, sequence: 7, identity: 'x1' }, 'a.b')
    assert.equal(header, 'O 7 a.* > a.b x1')
    assert.deepEqual(parseSourceHeader(header), { source, sequence: 7, identity: 'x1' })
  })

  it('is read without an identity too, as nats-server 2.10 writes it', () => {
    const read = parseSourceHeader('O 12 > > a.b')
    assert.deepEqual(read, { source: 'O > >', sequence: 12, identity: '' })
  })

  it('is not one with less fields or without a number', () => {
    for (const text of ['', 'O', 'O 1', 'O x > > a', 'O 1 >']) {
      assert.equal(parseSourceHeader(text), null, text)
    }
  })

  it('comes back as it was for any source', () => {
    const token = fc.stringMatching(/^[A-Za-z0-9_-]{1,8}$/)
    const source = fc.record({
      name: token,
      subject_transforms: fc.array(fc.record({ src: token, dest: token }), { maxLength: 3 }),
    })
    fc.assert(
      fc.property(source, fc.nat(), token, (one, sequence, identity) => {
        const position = { source: sourceKeyOf(one), sequence, identity }
        assert.deepEqual(parseSourceHeader(sourceHeaderOf(position, 's.a')), position)
      }),
    )
  })

  it('replaces an older one, and what the first publisher expected goes', () => {
    const lines = [
      'NATS/1.0',
      'A: 1',
      'Nats-Stream-Source: X 1 > > s',
      'Nats-Expected-Last-Sequence: 4',
      'Nats-Batch-Id: b',
      'Nats-Rollup: sub',
      'A: 2',
    ]
    const block = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
    const copy = sourcedHeaders(block, 'O 7 > > s')
    assert.equal(
      copy.toString('latin1'),
      'NATS/1.0\r\nA: 1\r\nNats-Rollup: sub\r\nA: 2\r\nNats-Stream-Source: O 7 > > s\r\n\r\n',
    )
    const facts = publishFactsOf(copy)
    assert.deepEqual([facts.rollup, sourcedFacts(facts).rollup], ['sub', ''])
    assert.equal(
      sourcedHeaders(null, 'h').toString('latin1'),
      'NATS/1.0\r\nNats-Stream-Source: h\r\n\r\n',
    )
  })
})

describe('positions of sources', () => {
  it('are those of the log, and where it has none those that were kept', () => {
    const kept = { source: 'A > >', sequence: 9, identity: 'i' }
    const positions = new SourcePositions([kept, { ...kept, source: 'B > >' }])
    positions.note('A 11 > > s i')
    positions.note('no header of a source')
    positions.note('C 1 > > s')
    assert.equal(positions.get('A > >')?.sequence, 11)
    assert.equal(positions.get('B > >')?.sequence, 9)
    assert.equal(positions.get('C > >')?.sequence, 1)
    assert.equal(positions.all.length, 3)
  })
})

describe('subjects of a source', () => {
  it('pass by the sources of the changes, of which the first counts', () => {
    const subjects = new SourceSubjects({
      name: 'O',
      subject_transforms: [
        { src: 'a.*', dest: 'x.{{wildcard(1)}}' },
        { src: 'b.>', dest: '' },
      ],
    })
    assert.ok(subjects.filter.passes('b.c.d'))
    assert.ok(!subjects.filter.passes('c'))
    assert.equal(subjects.subjectOf('a.1'), 'x.1')
    assert.equal(subjects.subjectOf('b.1'), 'b.1')
  })

  it('are all that there are without filter and changes', () => {
    const { filter } = new SourceSubjects({ name: 'O' })
    assert.ok(filter.isAll)
  })
})

describe('streams that copy from each other', () => {
  const stream = (name: string, ...sources: StreamSource[]): StreamConfig => ({
    ...configOf({ sources }),
    name,
  })
  const goesInCircles = (...[first, ...others]: [StreamConfig, ...StreamConfig[]]): boolean =>
    copiesItself(first, (name) => [first, ...others].find((one) => one.name === name))

  it('go in circles when some subject passes all of their filters', () => {
    assert.ok(goesInCircles(stream('A', { name: 'A' })))
    assert.ok(goesInCircles(stream('A', { name: 'B' }), stream('B', { name: 'A' })))
    const filtered = stream('B', { name: 'C', filter_subject: 'x.*' })
    const third = stream('C', { name: 'A', filter_subject: 'x.y' })
    assert.ok(goesInCircles(stream('A', { name: 'B' }), filtered, third))
    const changing = { name: 'A', subject_transforms: [{ src: 'a', dest: 'b' }] }
    assert.ok(goesInCircles(stream('A', { name: 'B', filter_subject: 'b' }), stream('B', changing)))
  })

  it('do not when no subject passes', () => {
    const one = stream('A', { name: 'B', filter_subject: 'b.>' })
    assert.ok(!goesInCircles(one, stream('B', { name: 'A', filter_subject: 'a.>' })))
    assert.ok(!goesInCircles(stream('A', { name: 'B' }), stream('B', { name: 'C' })))
    assert.ok(!goesInCircles(stream('A', { name: 'B' }, { name: 'C' }), stream('B', { name: 'C' })))
  })
})
