import { strict as assert } from 'node:assert'
import { closeSync, openSync, readdirSync, truncateSync, writeSync } from 'node:fs'
import { describe, it } from 'node:test'
import { dumpLog } from '../../../src/app/log-inspection/dump-log.ts'
import { bytesToVerify, verifyLogs } from '../../../src/app/log-inspection/verify-logs.ts'
import { Broker } from '../../../src/index.ts'
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

  it('decodes the metadata', async () => {
    await withData((directory) => {
      const rows = [...dumpLog(`${directory}/__cluster_metadata-0`, true)]
      const text = JSON.stringify(rows)
      assert.match(text, /"name":"TopicRecord","version":0,"value":\{"name":"t"/)
      assert.match(text, /"controlType":"LEADER_CHANGE"/)
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

  it('names every damaged batch and reads on behind it', async () => {
    await withData((directory, log) => {
      const [first = 0, second = 0] = positions(log)
      overwrite(log, first + 70, 0xee)
      overwrite(log, second + 70, 0xee)
      const { findings } = verify(directory)
      assert.deepEqual(
        findings.map(({ file, position }) => [file, position]),
        [[log, first]],
        'two damaged batches side by side are one stretch',
      )
      assert.match(findings[0]?.problem ?? '', /CRC of a batch is wrong .*records are lost here/)
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

  it('refuses a directory without logs', async () => {
    await withTree({ 'a.txt': 'x' }, async (root) => {
      assert.throws(() => verify(root), /has no files of a Kafka log/)
      assert.throws(() => bytesToVerify(`${root}/a.txt`), /is no directory/)
    })
  })
})
