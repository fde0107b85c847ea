import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { OffsetIndex } from '../../../src/storage/segment/offset-index.ts'
import { TimeIndex } from '../../../src/storage/segment/time-index.ts'
import { TransactionIndex } from '../../../src/storage/segment/transaction-index.ts'
import { append, batchOf, Harness } from './log-harness.ts'

const hex = (bytes: Buffer) => bytes.toString('hex')
const fromHex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')

describe('.index', () => {
  it('has the bytes that Kafka 4.4 writes for batches of 10074 bytes', async () => {
    const harness = new Harness()
    const log = harness.open()
    const valueBytes = 10_074 - batchOf(1, {}, 0).byteLength - 4
    for (let i = 0; i < 3; i++) {
      const batch = batchOf(1, {}, valueBytes)
      assert.equal(batch.byteLength, 10_074)
      append(log, batch)
    }
    await harness.stop()
    const file = harness.fs.readFile(harness.pathOf('00000000000000000000.index'))
    assert.equal(hex(file), '000000010000275a0000000200004eb4')
  })

  it('has one entry for index.interval.bytes', () => {
    const index = new OffsetIndex(100)
    index.append(110, 5000)
    index.append(120, 9100)
    assert.equal(hex(index.bytes()), '0000000a000013880000001400002' + '38c')
    assert.equal(index.lookup(109), 0)
    assert.equal(index.lookup(110), 5000)
    assert.equal(index.lookup(119), 5000)
    assert.equal(index.lookup(5000), 9100)
  })

  it('is read back, without the zeros that Kafka preallocates', () => {
    const file = Buffer.concat([fromHex('000000010000275a 0000000200004eb4'), Buffer.alloc(800)])
    const index = OffsetIndex.parse(0, file, 30_222)
    assert.equal(index?.entryCount, 2)
    assert.equal(index?.lookup(2), 0x4eb4)
  })

  it('is refused when it cannot be of this log', () => {
    const refused = [
      '0000000100002', // cut
      '00000001000075a0', // beyond the file
      '0000000200004eb4 000000010000575a', // offsets go back
      '0000000100004eb4 000000020000275a', // positions go back
      'ffffffff0000275a',
    ]
    for (const text of refused)
      assert.equal(OffsetIndex.parse(0, fromHex(text), 30_000), null, text)
  })
})

describe('.timeindex', () => {
  it('has the bytes that Kafka 4.4 writes', () => {
    const index = new TimeIndex(0)
    index.maybeAppend(0x01a210b26607, 1)
    index.maybeAppend(0x01a210b26607, 2)
    assert.equal(hex(index.bytes()), '000001a210b2660700000001')
  })

  it('finds an offset before which everything is older', () => {
    const index = new TimeIndex(50)
    index.maybeAppend(1000, 60)
    index.maybeAppend(2000, 70)
    assert.equal(index.lookup(999), 50)
    assert.equal(index.lookup(1000), 60)
    assert.equal(index.lookup(1999), 60)
    assert.equal(index.lookup(2000), 70)
  })

  it('ends with the largest timestamp of a segment, also at a roll', async () => {
    const harness = new Harness()
    const log = harness.open({ segmentBytes: 250 })
    for (const timestamp of [5000, 9000, 7000, 8000]) append(log, batchOf(1, {}, 40, timestamp))
    await harness.stop()
    const read = (name: string) => hex(harness.fs.readFile(harness.pathOf(name)))
    assert.equal(read('00000000000000000000.timeindex'), '000000000000232800000001')
    assert.equal(read('00000000000000000002.timeindex'), '0000000000001f4000000001')
  })

  it('is refused when times go back', () => {
    const file = fromHex('00000000000007d0 00000001 00000000000003e8 00000002')
    assert.equal(TimeIndex.parse(0, file), null)
  })
})

describe('.txnindex', () => {
  const sample =
    '0000 000000000000000a 0000000000000003 0000000000000005 0000000000000006'.replaceAll(' ', '')

  it('has the bytes that Kafka 4.4 writes', () => {
    const index = TransactionIndex.parse(fromHex(sample))
    assert.equal(index?.entryCount, 1)
    assert.equal(hex(index?.bytes() ?? Buffer.alloc(0)), sample)
  })

  it('is refused when it is cut or of another version', () => {
    assert.equal(TransactionIndex.parse(fromHex(sample.slice(2))), null)
    assert.equal(TransactionIndex.parse(fromHex(`0001${sample.slice(4)}`)), null)
  })
})

describe('.snapshot', () => {
  it('has the bytes that Kafka 4.4 writes when there are no producers', async () => {
    const harness = new Harness()
    append(harness.open(), batchOf())
    await harness.stop()
    const file = harness.fs.readFile(harness.pathOf('00000000000000000001.snapshot'))
    assert.equal(hex(file), '000148674bc700000000')
  })

  it('keeps the newest batches of each producer and its open transaction', async () => {
    const harness = new Harness()
    const log = harness.open()
    const options = { producerId: 11, producerEpoch: 6, isTransactional: true }
    append(log, batchOf(2, { ...options, baseSequence: 0 }, 10, 1000))
    append(log, batchOf(3, { ...options, baseSequence: 2 }, 10, 2000))
    await harness.stop()
    const file = harness.fs.readFile(harness.pathOf('00000000000000000005.snapshot'))
    const entry = [
      '000000000000000b', // producer id
      '0006', // epoch
      '00000004', // last sequence
      '0000000000000004', // last offset
      '00000002', // offset delta
      '00000000000007d2', // timestamp
      'ffffffff', // coordinator epoch
      '0000000000000000', // first offset of the transaction
    ].join('')
    const earlier = [
      '53504c57', // SPLW: Kafka reads no further
      '00000001', // producers with more batches
      '000000000000000b', // producer id
      '00000001', // batches
      '00000001', // last sequence
      '0000000000000001', // last offset
      '00000001', // offset delta
      '00000000000003e9', // timestamp
    ].join('')
    assert.equal(hex(file.subarray(6)), `00000001${entry}${earlier}`)
  })
})

describe('text files', () => {
  it('are written as Kafka 4.4 writes them', async () => {
    const harness = new Harness()
    const log = harness.open({}, 'plain', 2)
    append(log, batchOf(2))
    await harness.stop()
    const read = (name: string) => harness.fs.readFile(`/data/${name}`).toString()
    assert.equal(read('plain-0/partition.metadata'), 'version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAbg')
    assert.equal(read('plain-0/leader-epoch-checkpoint'), '0\n1\n2 0\n')
    assert.equal(read('recovery-point-offset-checkpoint'), '0\n1\nplain 0 2\n')
    assert.equal(read('replication-offset-checkpoint'), '0\n1\nplain 0 2\n')
    assert.equal(read('log-start-offset-checkpoint'), '0\n0\n')
    assert.equal(read('.kafka_cleanshutdown'), '{"version":0,"brokerEpoch":-1}')
  })
})
