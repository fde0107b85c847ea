import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ErrorCode } from '../../../../../src/base/error-code.ts'
import type { Encodable } from '../../../../../src/wire/kafka/codec.ts'
import { apiVersionsApi } from '../../../../../src/wire/kafka/messages/18-api-versions.ts'
import { ask } from '../ask.ts'
import { correlationIdOf, settle } from '../peer.ts'
import { apiVersionsFrame } from '../requests.ts'
import { CLUSTER_ID, TestBroker } from '../test-broker.ts'

const NAMED = { clientSoftwareName: 'apache-kafka-java', clientSoftwareVersion: '4.4.0' }

async function versions(
  version: number,
  body: Encodable<typeof apiVersionsApi.request> = NAMED,
  broker?: TestBroker,
) {
  return await ask(broker ?? (await TestBroker.start()), apiVersionsApi, version, body)
}

describe('ApiVersions', () => {
  it('lists what is served, in every version', async () => {
    for (let version = 0; version <= 5; version++) {
      const { errorCode, apiKeys } = await versions(version)
      assert.equal(errorCode, ErrorCode.NONE)
      assert.deepEqual(
        apiKeys.map(({ apiKey }) => apiKey),
        [0, 1, 2, 18, 21, 22, 23],
      )
    }
  })

  it('announces Produce from 0 although it serves it from 3 (KAFKA-18659)', async () => {
    const { apiKeys } = await versions(3)
    assert.deepEqual(apiKeys[0], { apiKey: 0, minVersion: 0, maxVersion: 13 })
    assert.deepEqual(apiKeys[1], { apiKey: 1, minVersion: 4, maxVersion: 18 })
  })

  it('hides features that may be absent before version 4 (KAFKA-17011)', async () => {
    const namesOf = async (version: number) =>
      (await versions(version)).supportedFeatures.map(({ name }) => name)
    assert.deepEqual(await namesOf(3), ['metadata.version'])
    assert.deepEqual(await namesOf(4), ['group.version', 'metadata.version'])
  })

  it('names finalized features with the epoch that makes clients read them', async () => {
    const broker = await TestBroker.start()
    broker.image.apply({ kind: 'featureSet', name: 'metadata.version', level: 30 })
    broker.image.advanceTo(12)
    const answer = await versions(4, NAMED, broker)
    assert.equal(answer.finalizedFeaturesEpoch, 12)
    assert.deepEqual(answer.finalizedFeatures, [
      { name: 'metadata.version', maxVersionLevel: 30, minVersionLevel: 30 },
    ])
  })
})

describe('ApiVersions of a version that is not known (KIP-511)', () => {
  it('is answered in version 0 with error 35 and one key: 16 bytes', async () => {
    const broker = await TestBroker.start()
    const peer = broker.connect()
    for (const version of [99, 6, -1, 32_767]) {
      const frame = apiVersionsFrame(3, { correlationId: 42 })
      frame.writeInt16BE(version, 6)
      peer.send(frame)
      await settle()
      const [answer] = peer.takeFrames()
      assert.equal(answer?.toString('hex'), '0000002a0023000000010012' + '00000005')
    }
  })

  it('keeps the connection open for the retry', async () => {
    const broker = await TestBroker.start()
    const peer = broker.connect()
    const frame = apiVersionsFrame(3)
    frame.writeInt16BE(99, 6)
    peer.send(Buffer.concat([frame, apiVersionsFrame(0, { correlationId: 2 })]))
    await settle()
    assert.deepEqual(peer.takeFrames().map(correlationIdOf), [1, 2])
    assert.equal(peer.isDestroyed, false)
  })
})

describe('ApiVersions refuses', () => {
  it('software names with other than letters, digits and inner - and .', async () => {
    const accepted = ['a', 'librdkafka', 'confluent-kafka-python', 'a.b-c', '9']
    const refused = ['', '-a', 'a-', '.a', 'a.', 'a b', 'a_b', 'ä', 'a\n']
    for (const name of [...accepted, ...refused]) {
      const answer = await versions(3, { clientSoftwareName: name, clientSoftwareVersion: '1' })
      const isRefused = refused.includes(name)
      assert.equal(
        answer.errorCode,
        isRefused ? ErrorCode.INVALID_REQUEST : ErrorCode.NONE,
        JSON.stringify(name),
      )
      if (isRefused) assert.deepEqual(answer.apiKeys, [])
      const swapped = { clientSoftwareName: 'a', clientSoftwareVersion: name }
      assert.equal((await versions(3, swapped)).errorCode, answer.errorCode)
    }
  })

  it('another cluster or broker than the client meant, with 129, and one without the other (KIP-1242)', async () => {
    const cases = [
      [CLUSTER_ID, 1, ErrorCode.NONE],
      [null, -1, ErrorCode.NONE],
      ['another', 1, ErrorCode.REBOOTSTRAP_REQUIRED],
      [CLUSTER_ID, 2, ErrorCode.REBOOTSTRAP_REQUIRED],
      [CLUSTER_ID, -1, ErrorCode.INVALID_REQUEST],
      [null, 1, ErrorCode.INVALID_REQUEST],
    ] as const
    for (const [clusterId, nodeId, expected] of cases) {
      const answer = await versions(5, { ...NAMED, clusterId, nodeId })
      assert.equal(answer.errorCode, expected)
      assert.equal(answer.apiKeys.length > 0, expected === ErrorCode.NONE)
    }
  })
})
