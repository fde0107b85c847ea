import { strict as assert } from 'node:assert'
import {
  closeSync,
  copyFileSync,
  mkdirSync,
  openSync,
  readdirSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { describe, it } from 'node:test'
import { dumpLog } from '../../../src/app/log-inspection/dump-log.ts'
import { bytesToVerify, verifyLogs } from '../../../src/app/log-inspection/verify-logs.ts'
import { Broker } from '../../../src/index.ts'
import { buildBatch } from '../../../src/records/batch-builder.ts'
import { buildEndTxnMarker, ControlRecordType } from '../../../src/records/control-batch.ts'
import {
  encodeControlKey,
  encodeControlValue,
  ControlRecordType as KraftControlType,
  snapshotFooterRecord,
  snapshotHeaderRecord,
} from '../../../src/records/internal/control-records.ts'
import {
  encodeCoordinatorKey,
  encodeCoordinatorValue,
} from '../../../src/records/internal/coordinator-record.ts'
import { encodeMetadataRecord } from '../../../src/records/internal/metadata-record.ts'
import { encodeProducerSnapshot } from '../../../src/records/internal/producer-snapshot.ts'
import { featureLevelRecord } from '../../../src/records/internal/topic-metadata-records.ts'
import { transactionLog } from '../../../src/records/internal/transaction-records.ts'
import { withTree } from '../scripts/temporary-tree.ts'

/** A data directory with three batches in topic `t`, each of two records. */
async function withData(use: (directory: string, log: string) => void): Promise<void> {
  await withTree({}, async (root) => {
    const dataDir = `${root}/data`
    const broker = await Broker.start({ dataDir, config: { 'offsets.topic.num.partitions': '1' } })
    for (const batch of ['a', 'b', 'c']) {
      await broker.produce('t', [
        { key: batch, value: `${batch}1` },
        { key: batch, value: `${batch}2`, headers: { h: Buffer.from([0xff]) } },
      ])
    }
    await broker.stop()
    const name = readdirSync(`${dataDir}/t-0`).find((file) => file.endsWith('.log'))
    use(dataDir, `${dataDir}/t-0/${name}`)
  })
}

const verify = (directory: string) => verifyLogs(directory, () => {})

function overwrite(file: string, position: number, byte: number): void {
  const descriptor = openSync(file, 'r+')
  writeSync(descriptor, Buffer.of(byte), 0, 1, position)
  closeSync(descriptor)
}

function positions(log: string): number[] {
  return [...dumpLog(log, false)].map(({ position }) => Number(position))
}

const batchesIn = (directory: string): number =>
  [...dumpLog(directory, false)].filter(({ type }) => type === 'batch' || type === 'damage').length

function timeEntry(timestampMs: number, relativeOffset: number): Buffer {
  const entry = Buffer.alloc(12)
  entry.writeBigInt64BE(BigInt(timestampMs))
  entry.writeInt32BE(relativeOffset, 8)
  return entry
}

const MARKER = {
  type: ControlRecordType.ABORT,
  producerId: 7,
  producerEpoch: 0,
  coordinatorEpoch: 4,
  timestamp: 5,
}
const PRODUCER = {
  epoch: 0,
  lastSequence: 2,
  lastOffset: 9,
  offsetDelta: 1,
  timestamp: 5,
  coordinatorEpoch: -1,
  currentTxnFirstOffset: -1,
}

function partitionFile(root: string, partition: string, suffix: string, content: Buffer): string {
  mkdirSync(`${root}/${partition}`, { recursive: true })
  const file = `${root}/${partition}/${'0'.repeat(20)}${suffix}`
  writeFileSync(file, content)
  return file
}

function transactionBatch(): Buffer {
  const key = encodeCoordinatorKey(transactionLog, { transactionalId: 'pay' })
  const value = encodeCoordinatorValue(transactionLog, 0, {
    producerId: 7,
    producerEpoch: 0,
    transactionTimeoutMs: 1000,
    transactionStatus: 0,
    transactionPartitions: null,
    transactionLastUpdateTimestampMs: 5,
    transactionStartTimestampMs: -1,
  })
  return buildBatch([{ timestamp: 5, key, value }])
}

/** Header, one record, footer, as Kafka writes it. */
function metadataSnapshot(root: string): string {
  const control = (type: number, value: Buffer, baseOffset: number) =>
    buildBatch([{ timestamp: 5, key: encodeControlKey(type), value }], {
      baseOffset,
      isControl: true,
    })
  const header = encodeControlValue(snapshotHeaderRecord, {
    version: 0,
    lastContainedLogTimestamp: 5,
  })
  const value = encodeMetadataRecord(featureLevelRecord, 0, {
    name: 'metadata.version',
    featureLevel: 27,
  })
  const footer = encodeControlValue(snapshotFooterRecord, { version: 0 })
  const file = `${root}/__cluster_metadata-0/${'0'.repeat(18)}10-0000000001.checkpoint`
  mkdirSync(`${root}/__cluster_metadata-0`, { recursive: true })
  writeFileSync(
    file,
    Buffer.concat([
      control(KraftControlType.SNAPSHOT_HEADER, header, 0),
      buildBatch([{ timestamp: 5, value }], { baseOffset: 1 }),
      control(KraftControlType.SNAPSHOT_FOOTER, footer, 2),
    ]),
  )
  return file
}

describe('log dump', () => {
  it('prints batches and, when asked, records', async () => {
    await withData((_, log) => {
      const batches = [...dumpLog(log, false)]
      assert.deepEqual(
        batches.map(({ type, baseOffset, lastOffset, records }) => [
          type,
          baseOffset,
          lastOffset,
          records,
        ]),
        [
          ['batch', 0, 1, 2],
          ['batch', 2, 3, 2],
          ['batch', 4, 5, 2],
        ],
      )
      const records = [...dumpLog(log, true)].filter(({ type }) => type === 'record')
      assert.deepEqual(
        records.map(({ offset, key, value }) => [offset, key, value]),
        [
          [0, 'a', 'a1'],
          [1, 'a', 'a2'],
          [2, 'b', 'b1'],
          [3, 'b', 'b2'],
          [4, 'c', 'c1'],
          [5, 'c', 'c2'],
        ],
      )
      assert.deepEqual(records[1]?.['headers'], [['h', 'base64:/w==']])
    })
  })
})

describe('log dump of what a broker keeps for itself', () => {
  it('decodes the metadata', async () => {
    await withData((directory) => {
      const rows = [...dumpLog(`${directory}/__cluster_metadata-0`, true)]
      const text = JSON.stringify(rows)
      assert.match(text, /"name":"TopicRecord","version":0,"value":\{"name":"t"/)
      assert.match(text, /"controlType":"LEADER_CHANGE"/)
    })
  })

  it('decodes snapshots of the metadata with their control records', async () => {
    await withTree({}, async (root) => {
      const rows = [...dumpLog(metadataSnapshot(root), true)].filter(
        ({ type }) => type === 'record',
      )
      assert.deepEqual(
        rows.map(({ decoded }) => decoded),
        [
          {
            controlType: 'SNAPSHOT_HEADER',
            value: { version: 0, lastContainedLogTimestamp: 5 },
          },
          {
            name: 'FeatureLevelRecord',
            version: 0,
            value: { name: 'metadata.version', featureLevel: 27 },
          },
          { controlType: 'SNAPSHOT_FOOTER', value: { version: 0 } },
        ],
      )
    })
  })

  it('decodes markers, transactions, aborted transactions and producers', async () => {
    await withTree({}, async (root) => {
      const log = partitionFile(root, 't-0', '.log', buildEndTxnMarker(MARKER))
      const [, record] = [...dumpLog(log, true)]
      assert.deepEqual(record?.['decoded'], { controlType: 'ABORT', coordinatorEpoch: 4 })

      const state = partitionFile(root, '__transaction_state-0', '.log', transactionBatch())
      const [, transaction] = [...dumpLog(state, true)]
      assert.match(JSON.stringify(transaction), /"TransactionLog".*"pay".*"producerId":7/)

      const aborted = Buffer.alloc(34)
      for (const [index, value] of [7, 1, 3, 4].entries())
        aborted.writeInt32BE(value, 6 + index * 8)
      const index = partitionFile(root, 't-0', '.txnindex', aborted)
      const entry = { producerId: 7, firstOffset: 1, lastOffset: 3, lastStableOffset: 4 }
      assert.deepEqual([...dumpLog(index, false)], [{ type: 'aborted transaction', ...entry }])

      const producer = { ...PRODUCER, producerId: 7 }
      const snapshot = partitionFile(root, 't-0', '.snapshot', encodeProducerSnapshot([producer]))
      assert.deepEqual([...dumpLog(snapshot, false)], [{ type: 'producer', ...producer }])
    })
  })

  it('reads files that the cleaner or a deletion renamed', async () => {
    await withData((_, log) => {
      const batches = [...dumpLog(log, true)]
      for (const suffix of ['.deleted', '.cleaned', '.swap']) {
        copyFileSync(log, log + suffix)
        assert.deepEqual([...dumpLog(log + suffix, true)], batches)
      }
    })
  })

  it('goes over every file of a data directory', async () => {
    await withData((directory) => {
      const rows = [...dumpLog(directory, false)]
      const files = rows.filter(({ type }) => type === 'file').map(({ path }) => String(path))
      assert.ok(files.includes(`${directory}/meta.properties`))
      assert.ok(files.includes(`${directory}/t-0/partition.metadata`))
    })
  })

  it('says what is no log', async () => {
    await withTree({ 'a.txt': 'x' }, async (root) => {
      assert.throws(() => [...dumpLog(`${root}/a.txt`, false)], /is no file of a Kafka log/)
      assert.throws(() => [...dumpLog(`${root}/none`, false)], /is not there/)
      assert.throws(() => [...dumpLog(root, false)], /has no files of a Kafka log/)
    })
  })
})

describe('log verify', () => {
  it('finds nothing wrong with what a broker wrote', async () => {
    await withData((directory) => {
      let seen = 0
      const result = verifyLogs(directory, (byteCount) => {
        seen += byteCount
      })
      assert.deepEqual(result.findings, [])
      assert.ok(result.recordCount >= 6)
      assert.equal(seen, result.byteCount)
      assert.equal(seen, bytesToVerify(directory))
    })
  })
})

describe('log verify of damaged batches', () => {
  it('names every damaged batch by itself and reads on behind it', async () => {
    await withData((directory, log) => {
      const [first = 0, second = 0] = positions(log)
      overwrite(log, first + 70, 0xee)
      overwrite(log, second + 70, 0xee)
      const { findings, batchCount } = verify(directory)
      assert.deepEqual(
        findings.map(({ file, position }) => [file, position]),
        [
          [log, first],
          [log, second],
        ],
      )
      for (const { problem } of findings) {
        assert.match(problem, /CRC of a batch is wrong \(85 bytes, records are lost here\)/)
      }
      assert.equal(batchCount, batchesIn(directory) - 2)
    })
  })

  it('names damaged batches at the end by themselves, also when nothing whole follows', async () => {
    await withData((directory, log) => {
      const [, second = 0, third = 0] = positions(log)
      overwrite(log, second + 70, 0xee)
      overwrite(log, third + 70, 0xee)
      assert.deepEqual(
        verify(directory).findings.map(({ position }) => position),
        [second, third],
      )
    })
  })

  it('takes batches whose lengths are no longer believable as one stretch', async () => {
    await withData((directory, log) => {
      const [first = 0, second = 0] = positions(log)
      overwrite(log, first + 10, 0xee)
      overwrite(log, second + 70, 0xee)
      const { findings } = verify(directory)
      assert.deepEqual(
        findings.map(({ position }) => position),
        [first],
      )
      assert.match(findings[0]?.problem ?? '', /\(170 bytes, records are lost here\)/)
    })
  })

  it('tells a cut end from a hole', async () => {
    await withData((directory, log) => {
      const third = positions(log)[2] ?? 0
      truncateSync(log, third + 65)
      const { findings } = verify(directory)
      assert.deepEqual(
        findings.map(({ position }) => position),
        [third],
      )
      assert.match(findings[0]?.problem ?? '', /a batch is cut .*a start cuts it/)
    })
  })
})

describe('log verify of indexes and snapshots', () => {
  it('names index entries that point nowhere', async () => {
    await withData((directory, log) => {
      const index = log.replace('.log', '.index')
      const descriptor = openSync(index, 'w')
      writeSync(descriptor, Buffer.from([0, 0, 0, 1, 0, 0, 0, 7]))
      closeSync(descriptor)
      const { findings } = verify(directory)
      assert.deepEqual(findings, [
        {
          file: index,
          position: null,
          problem: 'the entry of offset 1 names position 7, where it is not',
        },
      ])
    })
  })

  it('names time index entries whose batch has another time', async () => {
    await withData((directory, log) => {
      const index = log.replace('.log', '.timeindex')
      writeFileSync(index, timeEntry(1, 3))
      const { findings } = verify(directory)
      assert.deepEqual(findings, [
        {
          file: index,
          position: null,
          problem: 'the entry of time 1 names offset 3, which has another',
        },
      ])
    })
  })

  it('does not blame indexes for batches that are damaged', async () => {
    await withData((directory, log) => {
      const [, second = 0] = positions(log)
      const { maxTimestamp } = [...dumpLog(log, false)][1] ?? {}
      writeFileSync(log.replace('.log', '.index'), Buffer.from([0, 0, 0, 3, 0, 0, 0, second]))
      writeFileSync(log.replace('.log', '.timeindex'), timeEntry(Number(maxTimestamp), 3))
      assert.deepEqual(verify(directory).findings, [])
      overwrite(log, second + 70, 0xee)
      assert.deepEqual(
        verify(directory).findings.map(({ file, position }) => [file, position]),
        [[log, second]],
      )
    })
  })

  it('checks snapshots of the metadata', async () => {
    await withTree({}, async (root) => {
      const file = metadataSnapshot(root)
      assert.equal(verify(root).batchCount, 3)
      overwrite(file, 75, 0xee)
      assert.match(verify(root).findings[0]?.problem ?? '', /CRC of a batch is wrong/)
    })
  })

  it('refuses a directory without logs', async () => {
    await withTree({ 'a.txt': 'x' }, async (root) => {
      assert.throws(() => verify(root), /has no files of a Kafka log/)
      assert.throws(() => bytesToVerify(`${root}/a.txt`), /is no directory/)
    })
  })
})
