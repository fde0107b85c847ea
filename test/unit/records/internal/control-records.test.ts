import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  ControlRecordType,
  decodeControlType,
  decodeControlValue,
  decodeEndTxnMarker,
  encodeControlKey,
  encodeControlValue,
  encodeEndTxnMarker,
  kraftVersionRecord,
  leaderChangeMessage,
} from '../../../../src/records/internal/control-records.ts'

describe('control records', () => {
  it('a key is int16 version 0 and int16 type', () => {
    assert.equal(encodeControlKey(ControlRecordType.COMMIT).toString('hex'), '00000001')
    assert.equal(decodeControlType(Buffer.from('00000006', 'hex')), ControlRecordType.KRAFT_VOTERS)
  })

  it('a newer, longer key still has its type', () => {
    assert.equal(decodeControlType(Buffer.from('00010002ff', 'hex')), 2)
  })

  it('a key that is absent, short or of a negative version is refused', () => {
    assertRefused(() => decodeControlType(null))
    assertRefused(() => decodeControlType(Buffer.alloc(3)))
    assertRefused(() => decodeControlType(Buffer.from('ffff0001', 'hex')))
  })

  it('a transaction marker holds the coordinator epoch', () => {
    assert.equal(encodeEndTxnMarker(5).toString('hex'), '000000000005')
    assert.equal(decodeEndTxnMarker(encodeEndTxnMarker(5)), 5)
    assertRefused(() => decodeEndTxnMarker(null))
    assertRefused(() => decodeEndTxnMarker(Buffer.alloc(5)))
    assertRefused(() => decodeEndTxnMarker(Buffer.from('ffff00000005', 'hex')))
  })

  it('KRaft messages are read in the version they carry', () => {
    const voters = [{ voterId: 1, voterDirectoryId: 'c3Bvb2wtZGlyZWN0b3J5MQ' }]
    const grantingVoters = voters
    const newer = { version: 1, leaderId: 1, voters, grantingVoters }
    const value = encodeControlValue(leaderChangeMessage, newer)
    assert.deepEqual(decodeControlValue(leaderChangeMessage, value), newer)
    const older = { version: 0, leaderId: 1, voters: [{ voterId: 1 }], grantingVoters: [] }
    const bytes = encodeControlValue(leaderChangeMessage, older)
    assert.equal(bytes.toString('hex'), '0000' + '00000001' + '020000000100' + '01' + '00')
  })

  it('a KRaft message that is cut or newer is refused', () => {
    assertRefused(() => decodeControlValue(kraftVersionRecord, Buffer.alloc(1)))
    assertRefused(() => decodeControlValue(kraftVersionRecord, Buffer.alloc(3)))
    assertRefused(() => decodeControlValue(kraftVersionRecord, Buffer.from('0001000100', 'hex')))
  })
})

function assertRefused(action: () => unknown): void {
  assert.throws(action, { name: 'ProtocolError' })
}
