import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { advertisedRange, servedRange } from '../../../../src/wire/kafka/api-versions.ts'
import { produceApi } from '../../../../src/wire/kafka/messages/00-produce.ts'
import { allApis } from '../../../../src/wire/kafka/messages/all.ts'
import { vectorsOf } from '../../../vectors/vectors.ts'

describe('version ranges', () => {
  it('served are the stable versions of Kafka, for every API', () => {
    for (const api of allApis) {
      const [vector] = vectorsOf(api.name, 'stable')
      assert.equal(vector?.version, api.key)
      const [minVersion, maxVersion] = vector.bytes
      assert.deepEqual(servedRange(api), { minVersion, maxVersion }, api.name)
    }
  })

  it('an API with nothing but an unstable version is not served', () => {
    const unstable = { ...produceApi, versions: [0, 0] as const, latestUnstable: true }
    assert.equal(servedRange(unstable), undefined)
    assert.equal(advertisedRange(unstable), undefined)
  })

  it('Produce is announced from version 0, which only later versions answer', () => {
    assert.deepEqual(advertisedRange(produceApi), { minVersion: 0, maxVersion: 13 })
    assert.deepEqual(servedRange(produceApi), { minVersion: 3, maxVersion: 13 })
  })
})
