import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  encodeMetadataRecord,
  type MetadataRecordType,
} from '../../../../src/records/internal/metadata-record.ts'
import {
  decodeMetadataRecord,
  metadataRecordTypes,
} from '../../../../src/records/internal/metadata-records.ts'
import { featureLevelRecord } from '../../../../src/records/internal/topic-metadata-records.ts'
import { vectorsOf } from '../../../vectors/vectors.ts'

describe('KRaft metadata records', () => {
  it('of every type and version are framed as Kafka does', () => {
    for (const type of metadataRecordTypes as readonly MetadataRecordType[]) {
      for (const { version, bytes } of vectorsOf(type.name, 'framed')) {
        const record = decodeMetadataRecord(bytes)
        assert.deepEqual([record.name, record.version], [type.name, version])
        assert.deepEqual(encodeMetadataRecord(type, version, record.value), bytes)
      }
    }
  })

  it('the frame is uvarint 1, type and version', () => {
    const bytes = encodeMetadataRecord(featureLevelRecord, 0, { name: 'x', featureLevel: 1 })
    assert.equal(bytes.toString('hex'), '010c0002780001' + '00')
  })

  it('an unknown frame, type or version is refused: skipping it would build wrong metadata', () => {
    assertRefused('020c00', 'metadata record has frame version 2, not 1')
    assertRefused('017f00', 'metadata record type 127 is not known')
    assertRefused('010c01', 'FeatureLevelRecord has versions 0 to 0, not 1')
    assertRefused('010c0002780001', 'message is truncated')
    assertRefused('010c000278000100ff', 'bytes left after the message')
    assertRefused('', 'message is truncated')
  })
})

function assertRefused(hex: string, message: string): void {
  const bytes = Buffer.from(hex, 'hex')
  assert.throws(() => decodeMetadataRecord(bytes), { name: 'ProtocolError', message })
}
