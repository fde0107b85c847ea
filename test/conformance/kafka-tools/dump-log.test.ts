import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { useTarget } from '../support/use-target.ts'
import { mustRunTool, words } from './tool.ts'

const RECORD_COUNT = 30_000
const COMPLAINT = /(found timestamp mismatch|mismatches in|corrupt|isvalid: false|out of order)/i

const target = useTarget()

async function filesOf(partition: string, extension: string): Promise<string[]> {
  const directory = join(target().dataDir, partition)
  const names = (await readdir(directory)).filter((name) => name.endsWith(extension))
  assert.ok(names.length > 0, `${partition} has a ${extension} file`)
  return names.sort().map((name) => join(directory, name))
}

async function dump(files: readonly string[], flags = ''): Promise<string> {
  const output = await mustRunTool('dump-log', ['--files', files.join(','), ...words(flags)])
  assert.doesNotMatch(output, COMPLAINT)
  return output
}

/** Small segments and a dense index, so that a little data exercises all files. */
async function fill(bootstrap: string): Promise<void> {
  const server = ['--bootstrap-server', bootstrap, '--topic', 'dumped']
  const configs = '--config segment.bytes=1048576 --config index.interval.bytes=1024'
  await mustRunTool('topics', [...server, '--create', ...words(configs)])
  for (const codec of ['none', 'zstd']) {
    const size = `--topic dumped --num-records ${RECORD_COUNT / 2} --record-size 100`
    const properties = `bootstrap.servers=${bootstrap} compression.type=${codec} batch.size=2000`
    const line = `${size} --throughput -1 --command-property ${properties}`
    await mustRunTool('producer-perf-test', words(line))
  }
  const end = '--from-beginning --max-messages 100 --timeout-ms 30000'
  await mustRunTool('console-consumer', [...server, ...words(`--group dumped-readers ${end}`)])
}

describe('DumpLogSegments of Apache Kafka reads without complaint', () => {
  before(async () => {
    await fill(target().bootstrap)
    await target().shutdown()
  })

  it('segments, batch by batch, record by record', async () => {
    const files = await filesOf('dumped-0', '.log')
    assert.ok(files.length > 1, 'the topic has several segments')
    const output = await dump(files, '--deep-iteration --print-data-log')
    const offsets = [...output.matchAll(/^\| offset: (\d+) /gm)].map((match) => Number(match[1]))
    assert.deepEqual(
      offsets,
      Array.from({ length: RECORD_COUNT }, (_, index) => index),
    )
    assert.match(output, /compresscodec: zstd/)
    assert.match(output, /producerId: [0-9]+ producerEpoch: 0/)
  })

  it('offset indexes, whose entries point at batches', async () => {
    const files = await filesOf('dumped-0', '.index')
    assert.match(await dump(files, '--index-sanity-check'), /passed sanity check/)
    assert.match(await dump(files), /^offset: \d+ position: \d+$/m)
  })

  it('time indexes, whose entries agree with the batches', async () => {
    const output = await dump(await filesOf('dumped-0', '.timeindex'))
    assert.match(output, /^timestamp: \d+ offset: \d+$/m)
  })

  it('producer snapshots, with the last sequence of the producer', async () => {
    const output = await dump(await filesOf('dumped-0', '.snapshot'))
    assert.match(output, /producerId: \d+ producerEpoch: 0 .*lastSequence: \d+/)
  })

  it('committed offsets and group metadata in __consumer_offsets', async () => {
    const names = await readdir(target().dataDir)
    let output = ''
    for (const partition of names.filter((name) => name.startsWith('__consumer_offsets-'))) {
      output += await dump(await filesOf(partition, '.log'), '--deep-iteration --offsets-decoder')
    }
    assert.match(output, /"group":"dumped-readers".*"topic":"dumped".*"offset":100/)
    assert.match(output, /"protocolType":"consumer"/)
  })

  it('metadata records in __cluster_metadata', async () => {
    const files = await filesOf('__cluster_metadata-0', '.log')
    const output = await dump(files, '--deep-iteration --cluster-metadata-decoder')
    assert.match(output, /"type":"TOPIC_RECORD".*"name":"dumped"/)
    assert.match(output, /"type":"CONFIG_RECORD".*"name":"segment.bytes"/)
    assert.match(output, /"type":"PARTITION_RECORD".*"partitionId":0/)
  })
})
