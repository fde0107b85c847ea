import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ONE_MESSAGE } from '../../../../../src/broker/jetstream/consumer/pull-request.ts'
import { parseAckSubject } from '../../../../../src/frontends/nats/jetstream/ack-subject.ts'
import { AckSubjectWriter } from '../../../../../src/frontends/nats/jetstream/ack-subject-writer.ts'
import { parseAckVerb } from '../../../../../src/frontends/nats/jetstream/ack-verb.ts'
import { parseCreateRequest } from '../../../../../src/frontends/nats/jetstream/consumer-config-json.ts'
import { goDuration } from '../../../../../src/frontends/nats/jetstream/go-duration.ts'
import { headerValue } from '../../../../../src/frontends/nats/jetstream/header-value.ts'
import { parsePullOptions } from '../../../../../src/frontends/nats/jetstream/pull-options.ts'
import {
  statusHeaders,
  withHeader,
} from '../../../../../src/frontends/nats/jetstream/status-messages.ts'

const MAX = Number.MAX_SAFE_INTEGER
const FACTS = { deliveries: 2, streamSequence: 30, consumerSequence: 41 }

describe('an ack subject', () => {
  it('has the nine tokens of its first form', () => {
    const writer = new AckSubjectWriter()
    const write = (...args: Parameters<AckSubjectWriter['write']>): string => {
      writer.write(...args)
      return writer.bytes.toString('latin1', 0, writer.length)
    }
    const subject = write('S', 'c', FACTS, 1_700_000_000_123, 7)
    assert.equal(subject, '$JS.ACK.S.c.2.30.41.1700000000123000000.7')
    assert.deepEqual(parseAckSubject(subject), { stream: 'S', consumer: 'c', ...FACTS })
    assert.equal(write('S', 'c', FACTS, 0, 0), '$JS.ACK.S.c.2.30.41.0.0')
    for (const value of [9, 10, 99_999, 100_000, 999_999, 1_000_000, 1_000_007, 2 ** 32, MAX]) {
      const facts = { deliveries: value, streamSequence: value, consumerSequence: value }
      const numbers = `${value}.${value}.${value}.${value}000000.${value}`
      assert.equal(write('Other', 'd', facts, value, value), `$JS.ACK.Other.d.${numbers}`)
    }
  })

  it('is also read with domain and account in it (ADR-15)', () => {
    for (const tail of ['', '.random']) {
      const subject = `$JS.ACK._.hash.S.c.2.30.41.1700000000123000000.7${tail}`
      assert.deepEqual(parseAckSubject(subject), { stream: 'S', consumer: 'c', ...FACTS })
    }
  })

  it('is nothing else', () => {
    const others = [
      '$JS.ACK.S.c.1.2.3.4',
      '$JS.ACK.S.c.x.2.3.4.5',
      '$JS.ACK.S.c.1.0.3.4.5',
      '$JS.ACK.S.c.1.99999999999999999999.3.4.5',
      'a.b.S.c.1.2.3.4.5',
    ]
    for (const subject of others) assert.equal(parseAckSubject(subject), null, subject)
  })
})

describe('the payload of an ack', () => {
  it('says what became of the message', () => {
    assert.deepEqual(parseAckVerb(''), { kind: 'ack' })
    assert.deepEqual(parseAckVerb('+ACK'), { kind: 'ack' })
    assert.deepEqual(parseAckVerb('+OK'), { kind: 'ack' })
    assert.deepEqual(parseAckVerb('+WPI'), { kind: 'progress' })
    assert.deepEqual(parseAckVerb('+NXT 5'), { kind: 'next', request: ' 5' })
    assert.deepEqual(parseAckVerb('+TERM'), { kind: 'term', reason: '' })
    assert.deepEqual(parseAckVerb('+TERM no good'), { kind: 'term', reason: 'no good' })
    assert.equal(parseAckVerb('hello'), null)
  })

  it('may ask for a delay, in JSON or as Go writes durations', () => {
    assert.deepEqual(parseAckVerb('-NAK'), { kind: 'nak', delayMs: 0 })
    assert.deepEqual(parseAckVerb('-NAK {"delay": 1500000000}'), { kind: 'nak', delayMs: 1500 })
    assert.deepEqual(parseAckVerb('-NAK 1m30s'), { kind: 'nak', delayMs: 90_000 })
    assert.deepEqual(parseAckVerb('-NAK {"delay": "x"}'), { kind: 'nak', delayMs: 0 })
    assert.deepEqual(parseAckVerb('-NAK {'), { kind: 'nak', delayMs: 0 })
    assert.deepEqual(parseAckVerb('-NAK -5s'), { kind: 'nak', delayMs: 0 })
  })
})

describe('a duration of Go', () => {
  it('is read in all its units', () => {
    assert.equal(goDuration('1h2m3s4ms5us6ns'), 3_723_004_005_006)
    assert.equal(goDuration('1.5s'), 1_500_000_000)
    assert.equal(goDuration('-2ms'), -2_000_000)
    assert.equal(goDuration('0'), 0)
    for (const text of ['', '5', 's', '1x', '1s ', '-']) assert.equal(goDuration(text), null, text)
  })
})

describe('the body of a pull request', () => {
  it('is empty, a number or JSON', () => {
    assert.deepEqual(parsePullOptions(''), ONE_MESSAGE)
    assert.deepEqual(parsePullOptions(' 25 '), { ...ONE_MESSAGE, batch: 25 })
    assert.deepEqual(parsePullOptions('what'), ONE_MESSAGE)
    const json = '{"batch":3,"expires":5,"max_bytes":7,"no_wait":true,"group":"g","id":"i"}'
    const named = { batch: 3, expires: 5, maxBytes: 7, noWait: true, group: 'g', id: 'i' }
    assert.deepEqual(parsePullOptions(json), { ...ONE_MESSAGE, ...named })
  })

  it('is refused with a reason when it can not be read', () => {
    assert.equal(parsePullOptions('{"batch":"x"}'), 'batch must be a number')
    assert.equal(typeof parsePullOptions('{'), 'string')
  })
})

describe('a request to create a consumer', () => {
  it('has the zero values of Go where it says nothing', () => {
    const parsed = parseCreateRequest(
      Buffer.from('{"stream_name":"S","config":{"durable_name":"c"}}'),
    )
    assert.deepEqual(parsed, {
      streamName: 'S',
      action: '',
      isPedantic: false,
      config: {
        deliver_policy: 'all',
        ack_policy: 'none',
        replay_policy: 'instant',
        num_replicas: 0,
        durable_name: 'c',
      },
    })
  })

  it('is refused with the field that is wrong', () => {
    const refused: [string, string][] = [
      ['{"config":{"max_deliver":1.5}}', 'config.max_deliver must be an integer'],
      ['{"config":{"backoff":[1,"2"]}}', 'config.backoff must be a list, each an integer'],
      ['{"config":{"opt_start_time":"x"}}', 'config.opt_start_time must be a time of RFC 3339'],
      [
        '{"config":{"ack_policy":"some"}}',
        'config.ack_policy must be one of none, all, explicit, flow_control',
      ],
      ['{"action":"replace"}', 'unknown consumer action: "replace"'],
      ['[]', 'the request must be an object'],
    ]
    for (const [body, reason] of refused)
      assert.equal(parseCreateRequest(Buffer.from(body)), reason)
  })
})

describe('a status', () => {
  it('is a header block without a payload', () => {
    const status = {
      code: 408,
      description: 'Request Timeout',
      headers: { 'Nats-Pending-Messages': 1 },
    }
    const block = statusHeaders(status).toString()
    assert.equal(block, 'NATS/1.0 408 Request Timeout\r\nNats-Pending-Messages: 1\r\n\r\n')
    assert.equal(statusHeaders({ code: 503, description: '' }).toString(), 'NATS/1.0 503\r\n\r\n')
  })

  it('shares its form with headers that are added to a message', () => {
    const one = withHeader(null, 'Nats-Msg-Size', 5)
    assert.equal(one.toString(), 'NATS/1.0\r\nNats-Msg-Size: 5\r\n\r\n')
    assert.deepEqual(withHeader(Buffer.alloc(0), 'Nats-Msg-Size', 5), one)
    const two = withHeader(one, 'Nats-Pin-Id', 'x')
    assert.equal(two.toString(), 'NATS/1.0\r\nNats-Msg-Size: 5\r\nNats-Pin-Id: x\r\n\r\n')
    assert.equal(headerValue(two, 'Nats-Pin-Id'), 'x')
    assert.equal(headerValue(two, 'Nats-Msg'), null)
  })
})
