import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ProtocolError } from '../../../../src/base/errors.ts'
import { Dispatcher } from '../../../../src/frontends/kafka/dispatcher.ts'
import { defineHandler } from '../../../../src/frontends/kafka/handler.ts'
import { fetchApi } from '../../../../src/wire/kafka/messages/01-fetch.ts'
import { apiVersionsApi } from '../../../../src/wire/kafka/messages/18-api-versions.ts'
import { initProducerIdApi } from '../../../../src/wire/kafka/messages/22-init-producer-id.ts'
import { vectorsOf } from '../../../vectors/vectors.ts'
import { RecordingMeter } from '../../support/recording-meter.ts'
import { readResponse, requestFrame } from './peer.ts'
import { apiVersionsFrame } from './requests.ts'

const dispatcher = new Dispatcher(
  [
    defineHandler(fetchApi, () => undefined, 1000),
    defineHandler(apiVersionsApi, () => undefined),
    defineHandler(initProducerIdApi, () => undefined),
  ],
  new RecordingMeter(),
)

describe('the dispatcher', () => {
  it('reads header and body of every version, flexible or not', () => {
    for (const { version, bytes } of vectorsOf('InitProducerIdRequest', 'default')) {
      if (version > 5) continue
      const whole = requestFrame(initProducerIdApi, version, {
        transactionalId: '',
        transactionTimeoutMs: 0,
      }).subarray(4)
      const frame = Buffer.concat([whole.subarray(0, whole.byteLength - bytes.byteLength), bytes])
      const { header, body, isUnsupportedVersion } = dispatcher.decode(frame)
      assert.deepEqual([header.requestApiVersion, header.clientId], [version, 'test'])
      assert.equal((body as { transactionalId: string }).transactionalId, '')
      assert.equal(isUnsupportedVersion, false)
    }
  })

  it('refuses versions that Kafka marks as unstable', () => {
    const body = { transactionalId: null, transactionTimeoutMs: 0 }
    const frame = requestFrame(initProducerIdApi, 6, body).subarray(4)
    assert.throws(() => dispatcher.decode(frame), ProtocolError)
  })

  it('refuses keys that nobody serves and frames without a header', () => {
    for (const hex of ['', '00', '000100', '00000009', '7fff0000000000000000', '0012']) {
      assert.throws(() => dispatcher.decode(Buffer.from(hex, 'hex')), ProtocolError, hex)
    }
  })

  it('passes bytes behind a request over, as Kafka does', () => {
    const frame = Buffer.concat([apiVersionsFrame(3).subarray(4), Buffer.from('more')])
    assert.equal(dispatcher.decode(frame).header.correlationId, 1)
  })

  it('knows the largest request of each key', () => {
    assert.equal(dispatcher.maxRequestBytes(1), 1000)
    assert.equal(dispatcher.maxRequestBytes(18), 16 * 1024 * 1024)
    assert.equal(dispatcher.maxRequestBytes(0), undefined)
    assert.equal(dispatcher.maxRequestBytes(-1), undefined)
  })

  it('writes the next answer right after one that could not be written', () => {
    const { route } = dispatcher.decode(
      requestFrame(initProducerIdApi, 4, {
        transactionalId: null,
        transactionTimeoutMs: 0,
      }).subarray(4),
    )
    const good = { throttleTimeMs: 0, errorCode: 0, producerId: 5, producerEpoch: 0 }
    assert.throws(() => dispatcher.encode(route, 4, 1, null))
    const frame = Buffer.concat(dispatcher.encode(route, 4, 2, good))
    assert.equal(frame.readInt32BE(0), frame.byteLength - 4)
    const answer = readResponse(initProducerIdApi, 4, frame.subarray(4))
    assert.deepEqual([answer.correlationId, answer.body.producerId], [2, 5])
  })
})
