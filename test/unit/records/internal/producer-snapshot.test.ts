import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  decodeProducerSnapshot,
  encodeProducerSnapshot,
} from '../../../../src/records/internal/producer-snapshot.ts'

const entry = {
  producerId: 4000,
  epoch: 1,
  lastSequence: 9,
  lastOffset: 100,
  offsetDelta: 3,
  timestamp: 1_700_000_000_000,
  coordinatorEpoch: -1,
  currentTxnFirstOffset: -1,
}

describe('producer snapshots', () => {
  it('take 10 bytes and 46 for each producer', () => {
    assert.equal(encodeProducerSnapshot([]).byteLength, 10)
    const bytes = encodeProducerSnapshot([entry, { ...entry, producerId: 4001 }])
    assert.equal(bytes.byteLength, 10 + 2 * 46)
    assert.equal(bytes.readInt16BE(0), 1)
    assert.deepEqual(decodeProducerSnapshot(bytes), [entry, { ...entry, producerId: 4001 }])
  })

  it('keep earlier batches behind what Kafka reads', () => {
    const earlierBatches = [
      { lastSequence: 1, lastOffset: 90, offsetDelta: 1, timestamp: 1_600_000_000_000 },
      { lastSequence: 5, lastOffset: 96, offsetDelta: 3, timestamp: 1_650_000_000_000 },
    ]
    const entries = [entry, { ...entry, producerId: 4001, earlierBatches }]
    const bytes = encodeProducerSnapshot(entries)
    assert.deepEqual(decodeProducerSnapshot(bytes), entries)
    const plain = encodeProducerSnapshot(entries.map((one) => ({ ...one, earlierBatches: [] })))
    assert.deepEqual(bytes.subarray(6, plain.byteLength), plain.subarray(6))
  })

  it('every flipped bit and every cut is refused', () => {
    const earlierBatches = [{ lastSequence: 1, lastOffset: 90, offsetDelta: 1, timestamp: -1 }]
    const bytes = encodeProducerSnapshot([{ ...entry, earlierBatches }])
    for (let bit = 0; bit < bytes.byteLength * 8; bit++) {
      const damaged = Buffer.from(bytes)
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      assert.throws(() => decodeProducerSnapshot(damaged), { name: 'ProtocolError' })
    }
    // A cut between the two parts leaves a file that Kafka could have written, but for its CRC.
    for (let end = 0; end < bytes.byteLength; end++) {
      const cut = bytes.subarray(0, end)
      assert.throws(() => decodeProducerSnapshot(cut), { name: 'ProtocolError' })
    }
  })
})
