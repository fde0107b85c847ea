import assert from 'node:assert/strict'
import type { OperationSink } from '../../../../src/wire/nats/operation-sink.ts'
import { NatsParser, type ParserLimits } from '../../../../src/wire/nats/parser.ts'
import type { PublishedMessage } from '../../../../src/wire/nats/published-message.ts'

/** Small, so that tests can exceed them. */
export const LIMITS: ParserLimits = { maxControlLineBytes: 64, maxPayloadBytes: 1000 }

/** Writes down what a client asked for, one text each. */
export class RecordingSink implements OperationSink {
  readonly events: string[] = []
  /** Of the message that was handed over last. */
  #lastSubject: string | null = null

  publish(message: PublishedMessage): void {
    const { bytes, headerByteCount, hasHeaders, bodyStart, bodyEnd, tailStart, tailEnd } = message
    const body = bytes.toString('latin1', bodyStart, bodyEnd)
    const headers = hasHeaders ? ` headers=${body.slice(0, headerByteCount)}` : ''
    const reply = message.hasReply ? ` reply=${message.reply()}` : ''
    const payload = body.slice(headerByteCount)
    const tail = message.isTailCanonical ? bytes.toString('latin1', tailStart, tailEnd) : 'rewrite'
    const subject = message.subject()
    if (message.isSameSubject) assert.equal(subject, this.#lastSubject)
    assert.equal(message.hasEmptyToken, subject.split('.').includes(''), subject)
    this.#lastSubject = subject
    this.events.push(
      `publish ${message.subject()}#${message.subjectHash}${reply}${headers} payload=${payload} tail=${tail}`,
    )
  }

  subscribe(subject: string, queue: string, sid: string): void {
    this.events.push(`subscribe ${subject} queue=${queue} sid=${sid}`)
  }

  unsubscribe(sid: string, maxCount: number): void {
    this.events.push(`unsubscribe ${sid} ${maxCount}`)
  }

  connect(json: string): void {
    this.events.push(`connect ${json}`)
  }

  ping(): void {
    this.events.push('ping')
  }

  pong(): void {
    this.events.push('pong')
  }

  refuse(text: string | null, reason: string): void {
    this.events.push(`refuse ${text} (${reason})`)
  }
}

/** What a parser makes of these chunks. */
export function eventsOf(chunks: readonly Buffer[], allowsHeaders = true): string[] {
  const sink = new RecordingSink()
  const parser = new NatsParser(sink, LIMITS)
  parser.allowsHeaders = allowsHeaders
  for (const chunk of chunks) feed(parser, chunk)
  return sink.events
}

/** Gives one chunk as a session does, the direct way where the parser offers it. */
function feed(parser: NatsParser, chunk: Buffer): void {
  const direct = parser.directBuffer()
  if (direct === null) {
    // The memory is used again for the next read.
    const borrowed = Buffer.from(chunk)
    parser.received(borrowed, 0, borrowed.byteLength)
    borrowed.fill(0xee)
    return
  }
  const byteCount = Math.min(direct.byteLength, chunk.byteLength)
  chunk.copy(direct, 0, 0, byteCount)
  parser.receivedDirectly(byteCount)
  if (byteCount < chunk.byteLength) feed(parser, chunk.subarray(byteCount))
}
