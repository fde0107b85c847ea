import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  formatQuorumState,
  parseQuorumState,
} from '../../../../src/records/internal/quorum-state.ts'
import { ZERO_UUID } from '../../../../src/schema/reader.ts'

const TEXT = `{"leaderId":1,"leaderEpoch":2,"votedId":-1,"votedDirectoryId":"${ZERO_UUID}","data_version":1}`
const STATE = { leaderId: 1, leaderEpoch: 2, votedId: -1, votedDirectoryId: ZERO_UUID }

describe('quorum-state', () => {
  it('is the text Kafka 4.4 writes', () => {
    assert.equal(formatQuorumState(STATE), TEXT)
    assert.deepEqual(parseQuorumState(TEXT), STATE)
  })

  it('of data version 0 has no directory', () => {
    const old =
      '{"clusterId":"","leaderId":1,"leaderEpoch":2,"votedId":-1,"appliedOffset":0,' +
      '"currentVoters":[{"voterId":1}],"data_version":0}'
    assert.deepEqual(parseQuorumState(old), STATE)
  })

  it('that is cut, incomplete or newer is refused', () => {
    const bad = [
      '',
      'null',
      '7',
      '{}',
      TEXT.slice(0, -1),
      TEXT.replace('data_version":1', 'data_version":2'),
      TEXT.replace('"leaderEpoch":2', '"leaderEpoch":"2"'),
      TEXT.replace(ZERO_UUID, 'short'),
    ]
    for (const text of bad) {
      assert.throws(() => parseQuorumState(text), { name: 'ProtocolError' }, text)
    }
  })
})
