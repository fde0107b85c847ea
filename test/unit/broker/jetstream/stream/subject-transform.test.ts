import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { SubjectTransform } from '../../../../../src/broker/jetstream/stream/subject-transform.ts'

function applied(source: string, destination: string, subject: string): string | null {
  const made = SubjectTransform.make(source, destination)
  assert.ok(typeof made !== 'string', String(made))
  return made.apply(subject)
}

describe('a transform of subjects (ADR-30)', () => {
  it('puts tokens of the source where the destination says so', () => {
    assert.equal(applied('a.*.*', 'b.{{wildcard(2)}}.{{wildcard(1)}}', 'a.x.y'), 'b.y.x')
    assert.equal(applied('a.*.*', 'b.$2.$1', 'a.x.y'), 'b.y.x')
    assert.equal(applied('a.>', 'b.>', 'a.x.y'), 'b.x.y')
    assert.equal(applied('a.*', 'b.*', 'a.x'), 'b.x')
    assert.equal(applied('a.*', 'b.*', 'c.x'), null)
  })

  it('cuts tokens', () => {
    assert.equal(applied('*', '{{split(1,-)}}', 'a-b-c'), 'a.b.c')
    assert.equal(applied('*', '{{splitfromleft(1,2)}}', 'abcde'), 'ab.cde')
    assert.equal(applied('*', '{{SplitFromRight(1,2)}}', 'abcde'), 'abc.de')
    assert.equal(applied('*', '{{slicefromleft(1,2)}}', 'abcde'), 'ab.cd.e')
    assert.equal(applied('*', '{{slicefromright(1,2)}}', 'abcde'), 'a.bc.de')
  })

  it('gives a subject the same partition at any time', () => {
    const one = applied('a.*', 'b.{{partition(10,1)}}.{{wildcard(1)}}', 'a.x')
    assert.match(one ?? '', /^b\.\d\.x$/)
    assert.equal(applied('a.*', 'b.{{partition(10,1)}}.{{wildcard(1)}}', 'a.x'), one)
  })

  it('is refused when the destination asks for what the source has not', () => {
    for (const [source, destination] of [
      ['a', '*'],
      ['a.*', 'b.{{wildcard(2)}}'],
      ['a.*', 'b.{{what(1)}}'],
      ['a.>', 'b'],
      ['a', 'b.>'],
      ['a..b', 'c'],
    ] as const) {
      assert.equal(typeof SubjectTransform.make(source, destination), 'string')
    }
  })
})
