import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { fnv1a } from '../../../../src/base/fnv1a.ts'
import { NatsParser } from '../../../../src/wire/nats/parser.ts'
import { eventsOf, LIMITS, RecordingSink } from './recording-sink.ts'

function parsed(text: string, allowsHeaders = true): string[] {
  return eventsOf([Buffer.from(text, 'latin1')], allowsHeaders).map((event) =>
    event.replace(/#-?\d+/, ''),
  )
}

describe('NATS operations', () => {
  it('reads PUB with and without a reply', () => {
    assert.deepEqual(parsed('PUB foo 5\r\nhello\r\nPUB foo.bar INBOX.1 0\r\n\r\n'), [
      'publish foo payload=hello tail=5\r\nhello\r\n',
      'publish foo.bar reply=INBOX.1 payload= tail=INBOX.1 0\r\n\r\n',
    ])
  })

  it('takes a subject for that of the message before only if that was handed over', () => {
    const first = Buffer.from('PUB other 1\r\nx\r\n')
    const second = 'PUB foo 5\r\nhello\r\n'
    for (let cut = 1; cut < second.length; cut++) {
      const parts = [second.slice(0, cut), second.slice(cut)].map((part) => Buffer.from(part))
      assert.equal(eventsOf([first, ...parts]).length, 2)
    }
  })

  it('reads HPUB of a client that said it has headers', () => {
    assert.deepEqual(
      parsed('HPUB a r 12 14\r\nNATS/1.0\r\n\r\nhi\r\nHPUB b 12 12\r\nNATS/1.0\r\n\r\n\r\n'),
      [
        'publish a reply=r headers=NATS/1.0\r\n\r\n payload=hi tail=r 12 14\r\nNATS/1.0\r\n\r\nhi\r\n',
        'publish b headers=NATS/1.0\r\n\r\n payload= tail=12 12\r\nNATS/1.0\r\n\r\n\r\n',
      ],
    )
    assert.deepEqual(parsed('HPUB b 12 12\r\nNATS/1.0\r\n\r\n\r\n', false), [
      'refuse null (HPUB from a client without headers)',
    ])
  })

  it('reads SUB, UNSUB, CONNECT, PING, PONG, and passes over INFO and +OK', () => {
    assert.deepEqual(
      parsed(
        'CONNECT {"verbose":false}\r\nSUB a 1\r\nSUB b.> q x9\r\nUNSUB 1\r\nUNSUB x9 12\r\n' +
          'UNSUB x9 -3\r\nPING\r\nPONG\r\nINFO {}\r\n+OK\r\nPING\r\n',
      ),
      [
        'connect {"verbose":false}',
        'subscribe a queue= sid=1',
        'subscribe b.> queue=q sid=x9',
        'unsubscribe 1 0',
        'unsubscribe x9 12',
        'unsubscribe x9 0',
        'ping',
        'pong',
        'ping',
      ],
    )
  })

  it('takes either case, tabs, runs of blanks, and a line that ends with LF alone', () => {
    assert.deepEqual(parsed('pInG\nsub\ta\t\t1\npub  foo \t r  2 \nhi\r\nPUB foo  2\r\nho\r\n'), [
      'ping',
      'subscribe a queue= sid=1',
      'publish foo reply=r payload=hi tail=rewrite',
      // What is in front of the second argument is not sent on.
      'publish foo payload=ho tail=2\r\nho\r\n',
    ])
    assert.deepEqual(parsed('PUB foo r  2\r\nho\r\nPUB foo r\t2\r\nho\r\nPUB foo 2\nho\r\n'), [
      'publish foo reply=r payload=ho tail=rewrite',
      'publish foo reply=r payload=ho tail=rewrite',
      'publish foo payload=ho tail=rewrite',
    ])
  })

  it('gives the hash of each subject, also of one that came again', () => {
    const hash = (text: string): number => fnv1a(Buffer.from(text, 'latin1'), 0, text.length)
    const events = eventsOf([Buffer.from('PUB foo 0\r\n\r\nPUB foo 0\r\n\r\nPUB foobar 0\r\n\r\n')])
    assert.deepEqual(
      events.map((event) => Number(/#(-?\d+)/.exec(event)?.[1])),
      [hash('foo'), hash('foo'), hash('foobar')],
    )
  })
})

describe('NATS operations that are refused', () => {
  const cases: readonly (readonly [name: string, bytes: string, text: string | null])[] = [
    ['an unknown operation', 'GET / HTTP/1.1\r\n', 'Unknown Protocol Operation'],
    ['a TLS handshake', '\x16\x03\x01', 'Unknown Protocol Operation'],
    ['an operation cut short', 'PU\r\n', 'Unknown Protocol Operation'],
    ['MSG from a client', 'MSG a 1 0\r\n\r\n', 'Unknown Protocol Operation'],
    ['a payload longer than said', 'PUB foo 2\r\nabc\r\n', 'Unknown Protocol Operation'],
    ['a CR inside of arguments', 'PUB foo\rMSG 0\r\n\r\n', 'Unknown Protocol Operation'],
    ['a payload over the limit', 'PUB foo 1001\r\n', 'Maximum Payload Violation'],
    ['a line over the limit', `PUB ${'a'.repeat(65)} 0\r\n`, 'maximum control line exceeded'],
    ['a line over it that has no end', `SUB ${'a'.repeat(66)}`, 'maximum control line exceeded'],
    ['blanks without end', `SUB ${' '.repeat(66)}`, 'maximum control line exceeded'],
    ['PUB without a size', 'PUB foo\r\n', null],
    ['PUB with too many arguments', 'PUB a b c 0\r\n\r\n', null],
    ['a negative size', 'PUB foo -1\r\n', null],
    ['a size that is no number', 'PUB foo 0x1\r\n', null],
    ['a size of ten digits', 'PUB foo 0000000001\r\n', null],
    ['headers larger than the whole', 'HPUB foo 3 2\r\n', null],
    ['SUB without a sid', 'SUB foo\r\n', null],
    ['SUB with too many arguments', 'SUB a b c d\r\n', null],
    ['UNSUB without a sid', 'UNSUB \r\n', null],
    ['-ERR from a client', "-ERR 'no'\r\n", null],
  ]
  for (const [name, bytes, text] of cases) {
    it(`${name}: ${text ?? 'closed without a word'}`, () => {
      const events = parsed(`PING\r\n${bytes}PING\r\nPING\r\n`)
      assert.equal(events[0], 'ping')
      assert.match(events[1] ?? '', new RegExp(`^refuse ${text} \\(`))
      assert.equal(events.length, 2)
    })
  }

  it('allows a control line of exactly the limit', () => {
    const subject = 'a'.repeat(LIMITS.maxControlLineBytes - 2)
    assert.equal(parsed(`PUB ${subject} 0\r\n\r\n`).length, 1)
    assert.match(parsed(`PUB ${subject} 0\r\n\r\n`)[0] ?? '', /^publish/)
  })

  it('takes nothing once it was stopped, even from the same chunk', () => {
    const sink = new RecordingSink()
    const parser = new NatsParser(sink, LIMITS)
    sink.ping = () => parser.stop()
    parser.received(Buffer.from('PONG\r\nPING\r\nPONG\r\n'), 0, 18)
    assert.deepEqual(sink.events, ['pong'])
  })
})

const word = fc.stringMatching(/^[a-c.*>$]{1,6}$/)
const blank = fc.constantFrom(' ', ' ', ' ', '  ', '\t')
const lineEnd = fc.constantFrom('\r\n', '\r\n', '\n')
const operation = fc.oneof(
  fc.tuple(word, fc.option(word), fc.string({ maxLength: 40 }), blank, lineEnd).map((drawn) => {
    const [subject, reply, text, gap, end] = drawn
    const payload = Buffer.from(text, 'utf8').toString('latin1')
    const args = reply === null ? [subject] : [subject, reply]
    return `PUB ${[...args, payload.length].join(gap)}${end}${payload}\r\n`
  }),
  fc.tuple(word, word, fc.nat(20)).map(([subject, name, extra]) => {
    const headers = `NATS/1.0\r\n${name}: v\r\n\r\n`
    const total = headers.length + extra
    return `HPUB ${subject} ${headers.length} ${total}\r\n${headers}${'x'.repeat(extra)}\r\n`
  }),
  fc.tuple(word, word, lineEnd).map(([subject, sid, end]) => `SUB ${subject} ${sid}${end}`),
  fc.tuple(word, fc.nat(30)).map(([sid, count]) => `UNSUB ${sid} ${count}\r\n`),
  fc.constantFrom('PING\r\n', 'pong\n', '+OK\r\n', 'CONNECT {"a":1}\r\n', 'INFO {}\r\n'),
)
const damage = fc.constantFrom('\r', '\n', ' ', '\0', 'P', '9', `${'z'.repeat(70)}`, '')

describe('NATS chunks', () => {
  it('mean the same wherever they end: one cut at every place', () => {
    const text =
      'SUB foo.* q 7\r\nPUB foo.a r 5\r\nhello\r\nHPUB foo 12 13\r\nNATS/1.0\r\n\r\nx\r\nPING\r\n'
    const bytes = Buffer.from(text, 'latin1')
    const whole = eventsOf([bytes])
    for (let at = 0; at <= bytes.byteLength; at++) {
      assert.deepEqual(eventsOf([bytes.subarray(0, at), bytes.subarray(at)]), whole)
    }
    assert.deepEqual(eventsOf([...bytes].map((byte) => Buffer.from([byte]))), whole)
  })

  it('mean the same wherever they end: any operations, whole or damaged, cut anywhere', () => {
    fc.assert(
      fc.property(
        fc.array(operation, { maxLength: 12 }),
        fc.nat(300),
        damage,
        fc.array(fc.nat(400), { maxLength: 12 }),
        (operations, damagedAt, inserted, cuts) => {
          const text = operations.join('')
          const at = damagedAt % (text.length + 1)
          const bytes = Buffer.from(text.slice(0, at) + inserted + text.slice(at), 'latin1')
          const places = [...new Set([0, ...cuts, bytes.byteLength])]
            .filter((place) => place <= bytes.byteLength)
            .sort((a, b) => a - b)
          const chunks = places.slice(1).map((to, i) => bytes.subarray(places[i], to))
          const singles = [...bytes].map((byte) => Buffer.from([byte]))
          const whole = eventsOf([bytes])
          assert.deepEqual(eventsOf(chunks), whole)
          assert.deepEqual(eventsOf(singles), whole)
        },
      ),
      { numRuns: 2000 },
    )
  })

  it('of a large payload are read into memory of their own, which grows with what came', () => {
    const sink = new RecordingSink()
    const payloadBytes = 1_000_000
    const parser = new NatsParser(sink, { ...LIMITS, maxPayloadBytes: payloadBytes })
    const start = Buffer.from(`PUB big ${payloadBytes}\r\n`)
    parser.received(start, 0, start.byteLength)
    let fedBytes = 0
    let largestBytes = 0
    for (;;) {
      const into = parser.directBuffer()
      if (into === null) break
      assert.ok(into.byteLength <= Math.max(64 * 1024, 2 * (fedBytes + start.byteLength)))
      largestBytes = Math.max(largestBytes, into.byteLength)
      const byteCount = Math.min(into.byteLength, payloadBytes - fedBytes)
      into.fill('a', 0, byteCount)
      fedBytes += byteCount
      if (fedBytes === payloadBytes) into.write('\r\n', byteCount)
      parser.receivedDirectly(fedBytes === payloadBytes ? byteCount + 2 : byteCount)
    }
    assert.ok(largestBytes > 64 * 1024)
    const rest = Buffer.from(`${'a'.repeat(payloadBytes - fedBytes)}\r\nPING\r\n`)
    const have = fedBytes === payloadBytes ? rest.byteLength - 'PING\r\n'.length : 0
    parser.received(rest, have, rest.byteLength)
    const payload = 'a'.repeat(payloadBytes)
    assert.ok(
      sink.events[0]?.endsWith(` payload=${payload} tail=${payloadBytes}\r\n${payload}\r\n`),
    )
    assert.equal(sink.events[1], 'ping')
  })
})
