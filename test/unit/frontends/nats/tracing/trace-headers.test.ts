import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  asksForTrace,
  traceRequestOf,
  withoutTrace,
} from '../../../../../src/frontends/nats/tracing/trace-headers.ts'
import { PublishedMessage } from '../../../../../src/wire/nats/published-message.ts'

/** A message with these header lines, inside of other bytes that ask for a trace. */
function messageWith(...lines: readonly string[]): PublishedMessage {
  const block = `NATS/1.0\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`
  const around = '\nNats-Trace-Dest:x\r\n'
  const message = new PublishedMessage()
  message.bytes = Buffer.from(around + block + around, 'latin1')
  message.bodyStart = around.length
  message.headerByteCount = block.length
  message.hasHeaders = true
  return message
}

describe('whether a message asks for a trace', () => {
  it('is found wherever the header stands, whatever is around it', () => {
    for (let byteCount = 0; byteCount < 64; byteCount++) {
      const before = `A: ${'\rNats-Trace-Dest'.slice(byteCount % 17).padEnd(byteCount, ':')}`
      assert.equal(asksForTrace(messageWith(before, 'Nats-Trace-Dest:x')), true, before)
      assert.equal(asksForTrace(messageWith('Nats-Trace-Dest: T', before)), true, before)
      assert.equal(asksForTrace(messageWith(before, 'B: Nats-Trace-Dest:')), false, before)
    }
  })

  it('is a question of this very header, not of what begins or ends like it', () => {
    const others = ['nats-trace-dest: x', 'Nats-Trace-Destination: x', 'X-Nats-Trace-Dest: x', 'A:']
    for (const line of others) assert.equal(asksForTrace(messageWith(line, 'B: cccccccc')), false)
    assert.equal(asksForTrace(messageWith()), false)
  })
})

describe('what a traced message asks for', () => {
  const requestOf = (...lines: readonly string[]) => traceRequestOf(messageWith(...lines).headers())

  it('is told by the first value of each header, without blanks around it', () => {
    const request = requestOf('Nats-Trace-Dest: \tT \t', 'Nats-Trace-Dest: U', 'A:b:c', 'E:')
    assert.equal(request?.destination, 'T')
    assert.deepEqual(request?.headers, { 'Nats-Trace-Dest': ['T', 'U'], A: ['b:c'] })
  })

  it('is nothing but the trace for 1, true and on, in any case', () => {
    const isOnly = (value: string) =>
      requestOf('Nats-Trace-Dest: T', `Nats-Trace-Only: ${value}`)?.isOnly
    assert.deepEqual(['1', 'TRUE', 'On', '0', 'yes'].map(isOnly), [true, true, true, false, false])
  })

  it('is nothing once a server has said that it is traced no more', () => {
    const block = withoutTrace(messageWith('A: b', 'Nats-Trace-Dest: T').headers())
    assert.equal(block.toString(), 'NATS/1.0\r\nA: b\r\nNats-Trace-Dest: trace disabled\r\n\r\n')
    assert.equal(traceRequestOf(block), null)
    assert.equal(traceRequestOf(null), null)
  })
})
