import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { fnv1a } from '../../../../src/base/fnv1a.ts'
import {
  hasEmptyToken,
  isPublishable,
  isSubscribable,
} from '../../../../src/broker/subjects/subject.ts'
import { type Route, SubjectRouter } from '../../../../src/broker/subjects/subject-router.ts'

interface Subscription {
  readonly subject: string
  readonly queue: string
}

/** Small, so that subjects push each other out. */
const LIMITS = { maxCachedSubjects: 8, maxCachedMatches: 12, missesForPrefix: 16 }

function routeOf(router: SubjectRouter<Subscription>, subject: string): Route<Subscription> {
  const bytes = Buffer.from(`x${subject}x`, 'latin1')
  const end = bytes.byteLength - 1
  return router.find({
    ...{ bytes, subjectStart: 1, subjectEnd: end },
    subjectHash: fnv1a(bytes, 1, end),
    hasEmptyToken: hasEmptyToken(bytes, 1, end),
  })
}

/** `*` and `>` by their definition. */
function listens(pattern: string, subject: string): boolean {
  const wanted = pattern.split('.')
  const tokens = subject.split('.')
  if (tokens.includes('')) return false
  for (const [i, token] of wanted.entries()) {
    if (token === '>') return tokens.length > i
    if (i >= tokens.length || (token !== '*' && token !== tokens[i])) return false
  }
  return wanted.length === tokens.length
}

describe('subjects', () => {
  it('can be subscribed to without empty tokens and with > at the end only', () => {
    for (const subject of ['a', 'a.b', '*', '>', 'a.*.c', 'a.>', 'a>', 'a*b.c']) {
      assert.equal(isSubscribable(subject), true, subject)
    }
    for (const subject of ['', '.', 'a.', '.a', 'a..b', '>.a', 'a.>.b']) {
      assert.equal(isSubscribable(subject), false, subject)
    }
  })

  it('can be published to without wildcards', () => {
    for (const subject of ['a', 'a.b', 'a*', '>a.b']) assert.equal(isPublishable(subject), true)
    for (const subject of ['*', 'a.*', 'a.>', 'a..b']) assert.equal(isPublishable(subject), false)
  })
})

const token = fc.constantFrom('a', 'b', 'c', '*', '>')
const subject = fc.array(token, { minLength: 1, maxLength: 4 }).map((tokens) => tokens.join('.'))
const step = fc.oneof(
  fc.record({ kind: fc.constant('insert'), subject, queue: fc.constantFrom('', '', 'q', 'r') }),
  fc.record({ kind: fc.constant('remove'), subject, queue: fc.constant('') }),
  fc.record({
    kind: fc.constant('publish'),
    subject: fc
      .array(fc.constantFrom('a', 'b', 'c', ''), { minLength: 1, maxLength: 4 })
      .map((tokens) => tokens.join('.')),
    queue: fc.constant(''),
  }),
)

describe('SubjectRouter', () => {
  it('finds who listens, by `*` and `>`, whatever was found before', () => {
    const steps = fc.array(step, { maxLength: 60 })
    fc.assert(
      fc.property(steps, fc.nat(), fc.constantFrom(1, 2, 16), (steps, seed, missesForPrefix) => {
        const router = new SubjectRouter<Subscription>({ ...LIMITS, missesForPrefix }, seed)
        const all: Subscription[] = []
        const kept = new Map<string, Route<Subscription>>()
        for (const [i, { kind, subject, queue }] of steps.entries()) {
          if (kind === 'insert' && isSubscribable(subject)) {
            const subscription = { subject, queue }
            all.push(subscription)
            router.insert(subject, queue, subscription)
          } else if (kind === 'remove' && all.length > 0) {
            const [gone] = all.splice(i % all.length, 1) as [Subscription]
            router.remove(gone.subject, gone.queue, gone)
          } else if (kind === 'publish') {
            // A publisher keeps the route of its last subject for as long as it is current.
            const before = kept.get(subject)
            const route = before && router.isCurrent(before) ? before : routeOf(router, subject)
            if (router.isCurrent(route)) kept.set(subject, route)
            assertMatches(route, all, subject)
          }
          assert.equal(router.count, all.length)
        }
      }),
      { numRuns: 3000 },
    )
  })

  it('keeps the matches of a subject that comes twice, and not of one that comes once', () => {
    const router = new SubjectRouter<Subscription>({ ...LIMITS, maxCachedSubjects: 1024 }, 7)
    assert.equal(router.isCurrent(routeOf(router, 'once')), false)
    routeOf(router, 'twice')
    const route = routeOf(router, 'twice')
    assert.equal(router.isCurrent(route), true)
    assert.equal(routeOf(router, 'twice'), route)
  })

  it('keeps matches of other subjects when somebody subscribes to one', () => {
    const router = new SubjectRouter<Subscription>({ ...LIMITS, maxCachedSubjects: 1024 }, 7)
    const routes = ['a.x', 'a.y', 'b.z'].map((subject) => {
      routeOf(router, subject)
      return routeOf(router, subject)
    })
    const current = (): boolean[] => routes.map((route) => router.isCurrent(route))
    router.insert('a.x', '', { subject: 'a.x', queue: '' })
    assert.deepEqual(current(), [false, true, true])
    routeOf(router, 'a.x')
    router.insert('a.*', '', { subject: 'a.*', queue: '' })
    assert.deepEqual(current(), [false, false, true])
    router.insert('*.z', '', { subject: '*.z', queue: '' })
    assert.deepEqual(current(), [false, false, false])
  })

  it('matches a subject of very many tokens', () => {
    const router = new SubjectRouter<Subscription>(LIMITS, 7)
    const deep = Array.from({ length: 2000 }, () => 't').join('.')
    const subscription = { subject: deep, queue: '' }
    router.insert(deep, '', subscription)
    assert.deepEqual(routeOf(router, deep).matches.plain, [subscription])
    router.remove(deep, '', subscription)
    assert.equal(routeOf(router, deep).matches.isEmpty, true)
  })
})

describe('subjects that are seen once', () => {
  it('share a route where only what they begin with matters', () => {
    const router = new SubjectRouter<Subscription>({ ...LIMITS, maxCachedSubjects: 1024 }, 7)
    const listen = (subject: string): void => router.insert(subject, '', { subject, queue: '' })
    const subjectsOf = (subject: string): string[] =>
      routeOf(router, subject).matches.plain.map((one) => one.subject)
    listen('$JS.ACK.>')
    listen('$JS.API.INFO')
    for (let i = 0; i < 16; i++) routeOf(router, `$JS.ACK.S.c.${i}`)
    const route = routeOf(router, '$JS.ACK.S.c.100')
    assert.equal(routeOf(router, '$JS.ACK.other'), route)
    assert.equal(router.isCurrent(route), true)
    // Neither what is not below it, nor a subject that nobody can listen to.
    for (const subject of ['$JS.ACK', '$JS.ACKS.a', '$JS.ACK.', '$JS.ACK..a', '$JS.API.INFO']) {
      assert.notEqual(routeOf(router, subject), route, subject)
    }
    listen('$JS.ACK.S.c.100')
    assert.equal(router.isCurrent(route), false)
    assert.deepEqual(subjectsOf('$JS.ACK.S.c.100'), ['$JS.ACK.>', '$JS.ACK.S.c.100'])
    assert.deepEqual(subjectsOf('$JS.ACK.S.c.101'), ['$JS.ACK.>'])
  })
})

function assertMatches(
  { matches }: Route<Subscription>,
  all: readonly Subscription[],
  subject: string,
): void {
  const expected = all.filter((subscription) => listens(subscription.subject, subject))
  const plain = expected.filter(({ queue }) => queue === '')
  assert.deepEqual(new Set(matches.plain), new Set(plain))
  assert.equal(matches.plain.length, plain.length)
  const names = new Set(expected.map(({ queue }) => queue).filter((queue) => queue !== ''))
  assert.equal(matches.groups.length, names.size)
  for (const group of matches.groups) {
    const name = group[0]?.queue
    assert.deepEqual(new Set(group), new Set(expected.filter(({ queue }) => queue === name)))
  }
}
