import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  type NumberedSubjects,
  SubjectFilter,
} from '../../../../../src/broker/jetstream/stream/subject-filter.ts'

/** Subjects that get their numbers one after the other. */
class Numbered implements NumberedSubjects {
  readonly subjects: string[] = ['']

  get count(): number {
    return this.subjects.length
  }

  subject(id: number): string {
    return this.subjects[id] ?? ''
  }
}

describe('the subjects that somebody wants of a stream', () => {
  it('lets everything pass when none is named, or the rest of all', () => {
    assert.equal(new SubjectFilter([]).passes('a.b'), true)
    assert.equal(new SubjectFilter(['a', '>']).isAll, true)
  })

  it('compares tokens, with * for one and > for the rest', () => {
    const filter = new SubjectFilter(['orders.*.eu', 'audit.>'])
    assert.equal(filter.passes('orders.7.eu'), true)
    assert.equal(filter.passes('orders.7.us'), false)
    assert.equal(filter.passes('orders.7.eu.x'), false)
    assert.equal(filter.passes('audit.a.b'), true)
    assert.equal(filter.passes('audit'), false)
  })

  it('knows when it is one subject without wildcards', () => {
    assert.equal(new SubjectFilter(['a.b']).literal, 'a.b')
    assert.equal(new SubjectFilter(['a.*']).literal, null)
    assert.equal(new SubjectFilter(['a*b']).literal, 'a*b')
    assert.equal(new SubjectFilter(['a', 'b']).literal, null)
  })

  it('learns the numbers of an index as they come, and compares each subject once', () => {
    const numbered = new Numbered()
    const filter = new SubjectFilter(['a.*'])
    numbered.subjects.push('a.1', 'b.1')
    assert.deepEqual([...filter.idsIn(numbered).flags.subarray(0, 3)], [0, 1, 0])
    for (let i = 0; i < 200; i++) numbered.subjects.push(i % 2 === 0 ? `a.${i}` : `b.${i}`)
    const passing = filter.idsIn(numbered)
    assert.equal(passing.flags[3], 1)
    assert.equal(passing.flags[202], 0)
    assert.equal(passing.ids.length, 101)
  })
})
