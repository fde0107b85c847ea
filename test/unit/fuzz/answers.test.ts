import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Encodable, encoderOf, Writer } from '../../../src/wire/kafka/codec.ts'
import { responseHeader } from '../../../src/wire/kafka/headers.ts'
import { produceApi } from '../../../src/wire/kafka/messages/00-produce.ts'
import { heartbeatApi } from '../../../src/wire/kafka/messages/12-heartbeat.ts'
import { apiVersionsApi } from '../../../src/wire/kafka/messages/18-api-versions.ts'
import { AnswerCheck } from '../../fuzz/answers.ts'
import { requestFrame } from '../frontends/kafka/peer.ts'

const check = new AnswerCheck([produceApi, heartbeatApi, apiVersionsApi])

function heartbeat(correlationId: number): Buffer {
  const body = { groupId: 'g', generationId: 1, memberId: 'm' }
  return requestFrame(heartbeatApi, 0, body, { correlationId })
}

function produce(acks: number, correlationId: number): Buffer {
  const body = { transactionalId: null, acks, timeoutMs: 1, topicData: [] }
  return requestFrame(produceApi, 3, body, { correlationId })
}

/** The answer to a heartbeat in version 0. */
function answer(correlationId: number): Buffer {
  const writer = new Writer()
  encoderOf(responseHeader)(0)(writer, { correlationId })
  const body: Encodable<typeof heartbeatApi.response> = { errorCode: 0 }
  encoderOf(heartbeatApi.response)(0)(writer, body)
  return Buffer.concat(writer.finish())
}

const accepts = (sent: readonly Buffer[], answers: readonly Buffer[]): void =>
  check.check(Buffer.concat(sent), answers)

describe('the check of answers', () => {
  it('accepts answers in the order of their requests, and fewer of them', () => {
    accepts([heartbeat(1), heartbeat(2), heartbeat(3)], [answer(1), answer(2)])
  })

  it('refuses another correlation id, order or count', () => {
    assert.throws(() => accepts([heartbeat(1)], [answer(2)]), /bad answer to Heartbeat v0/)
    assert.throws(() => accepts([heartbeat(1), heartbeat(2)], [answer(2), answer(1)]))
    assert.throws(() => accepts([heartbeat(1)], [answer(1), answer(1)]), /to nothing/)
  })

  it('refuses an answer that is cut off, or has a byte too many', () => {
    const whole = answer(1)
    assert.throws(() => accepts([heartbeat(1)], [whole.subarray(0, -1)]), /bad answer/)
    const longer = Buffer.concat([whole, Buffer.alloc(1)])
    assert.throws(() => accepts([heartbeat(1)], [longer]), /bad answer/)
  })

  it('expects none to a produce with acks=0, nor after what ends the connection', () => {
    accepts([produce(0, 1), heartbeat(2)], [answer(2)])
    const cut = heartbeat(1).subarray(0, -1)
    cut.writeInt32BE(cut.byteLength - 4)
    assert.throws(() => accepts([cut, heartbeat(2)], [answer(2)]), /to nothing/)
    const unknown = heartbeat(1)
    unknown.writeInt16BE(999, 4)
    assert.throws(() => accepts([unknown, heartbeat(2)], [answer(2)]), /to nothing/)
  })

  it('reads the answer to an unknown version of ApiVersions as version 0 (KIP-511)', () => {
    const sent = requestFrame(
      apiVersionsApi,
      3,
      { clientSoftwareName: 'a', clientSoftwareVersion: '1' },
      { correlationId: 7 },
    )
    sent.writeInt16BE(99, 6)
    // Error 35 and one key, 18 from 0 to 5.
    const body = Buffer.from('0000000700230000000100120000 0005'.replaceAll(' ', ''), 'hex')
    accepts([sent], [body])
    assert.throws(() => accepts([sent], [Buffer.concat([body, Buffer.alloc(4)])]), /v0/)
  })
})
