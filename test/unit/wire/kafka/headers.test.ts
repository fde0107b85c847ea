import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { requestHeaderVersion, responseHeaderVersion } from '../../../../src/wire/kafka/headers.ts'
import { apiVersionsApi } from '../../../../src/wire/kafka/messages/18-api-versions.ts'
import { allApis } from '../../../../src/wire/kafka/messages/all.ts'
import { vectorsOf } from '../../../vectors/vectors.ts'

describe('header versions', () => {
  it('are those of Kafka for every API and version', () => {
    for (const api of allApis) {
      for (const { version, bytes } of vectorsOf(api.name, 'headers')) {
        const versions = [requestHeaderVersion(api, version), responseHeaderVersion(api, version)]
        assert.deepEqual(versions, [...bytes], `${api.name} v${version}`)
      }
    }
  })

  it('an ApiVersions response has header 0 also in flexible versions (KIP-511)', () => {
    assert.equal(requestHeaderVersion(apiVersionsApi, 4), 2)
    assert.equal(responseHeaderVersion(apiVersionsApi, 4), 0)
  })
})
