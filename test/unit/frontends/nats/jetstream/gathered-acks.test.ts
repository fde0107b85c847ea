import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ACK_PREFIX } from '../../../../../src/frontends/nats/jetstream/ack-subject.ts'
import { GatheredAcks } from '../../../../../src/frontends/nats/jetstream/gathered-acks.ts'
import { PublishedMessage } from '../../../../../src/wire/nats/published-message.ts'

/** A message as a parser leaves it: in the middle of other bytes. */
function messageOf(subject: string, payload = '', reply = '', headers = ''): PublishedMessage {
  const message = new PublishedMessage()
  const args = reply === '' ? '' : `${reply} `
  const before = 'xPUB '
  const line = `${before}${subject} ${args}1\r\n`
  message.bytes = Buffer.from(`${line}${headers}${payload}\r\nPUB next.1.2.3`, 'latin1')
  message.subjectStart = before.length
  message.subjectEnd = before.length + subject.length
  message.replyStart = message.subjectEnd + 1
  message.replyEnd = message.replyStart + reply.length
  message.hasHeaders = headers !== ''
  message.headerByteCount = headers.length
  message.bodyStart = line.length
  message.bodyEnd = line.length + headers.length + payload.length
  return message
}

function gathered(...messages: PublishedMessage[]) {
  const acks = new GatheredAcks(() => undefined)
  const areTaken = messages.map((message) => acks.add(message))
  const { stream, consumer, deliveries } = acks
  return { areTaken, stream, consumer, deliveries }
}

describe('acks that are gathered', () => {
  it('are those of one consumer in a row, with their numbers', () => {
    const subjects = ['1.2.3.1700000000123000000.4', '2.30000000000.41.0.0']
    const messages = subjects.map((numbers) => messageOf(`${ACK_PREFIX}S.c.${numbers}`, '+ACK'))
    assert.deepEqual(gathered(...messages, messageOf(`${ACK_PREFIX}S.c.1.5.6.7.8`)), {
      areTaken: [true, true, true],
      stream: 'S',
      consumer: 'c',
      deliveries: [
        { deliveries: 1, streamSequence: 2, consumerSequence: 3 },
        { deliveries: 2, streamSequence: 30_000_000_000, consumerSequence: 41 },
        { deliveries: 1, streamSequence: 5, consumerSequence: 6 },
      ],
    })
  })

  it('end where another consumer comes, also one whose name begins alike', () => {
    const first = messageOf(`${ACK_PREFIX}S.c.1.2.3.4.5`)
    for (const place of ['S.cc', 'SS.c', 'S.d', 'T.c']) {
      const { areTaken, deliveries } = gathered(first, messageOf(`${ACK_PREFIX}${place}.1.2.3.4.5`))
      assert.deepEqual(areTaken, [true, false], place)
      assert.equal(deliveries.length, 1)
    }
  })

  it('do not have messages that want an answer, say something else, or are of another form', () => {
    const subject = `${ACK_PREFIX}S.c.1.2.3.4.5`
    const others = [
      messageOf(subject, '+ACK', '_INBOX.1'),
      messageOf(subject, '+ACK', '', 'NATS/1.0\r\n\r\n'),
      messageOf(subject, '-NAK'),
      messageOf(subject, '+NXT'),
      messageOf(subject, '+ACK '),
      messageOf(subject, '+WPI'),
      messageOf(`${ACK_PREFIX}S.c.1.2.3.4`),
      messageOf(`${ACK_PREFIX}S.c.1.2.3.4.5.6`),
      messageOf(`${ACK_PREFIX}S.c.1.2.3`),
      messageOf(`${ACK_PREFIX}S.c`),
      messageOf(`${ACK_PREFIX}S`),
      messageOf(`${ACK_PREFIX}_.hash.S.c.1.2.3.4.5`),
      messageOf(`${ACK_PREFIX}S.c.0.2.3.4.5`),
      messageOf(`${ACK_PREFIX}S.c.1.x.3.4.5`),
      messageOf(`${ACK_PREFIX}S.c.1.-2.3.4.5`),
      messageOf(`${ACK_PREFIX}S.c.1..3.4.5`),
      messageOf(`${ACK_PREFIX}S.c.1.9999999999999999.3.4.5`),
      messageOf('$JS.ACX.S.c.1.2.3.4.5'),
    ]
    for (const message of others) {
      assert.deepEqual(gathered(message).areTaken, [false], message.subject())
      const behind = gathered(messageOf(subject), message, messageOf(subject))
      assert.deepEqual(behind.areTaken, [true, false, true], message.subject())
      assert.equal(behind.deliveries.length, 2)
    }
  })
})
