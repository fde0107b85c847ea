import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { installFranzGo } from '../peers/franz-go.ts'
import { installPythonClients } from '../peers/python.ts'
import { mustRun } from '../support/command.ts'
import { useTarget } from '../support/use-target.ts'

const LIMIT_MS = 150_000
const python = (script: string): string => join(import.meta.dirname, 'python', script)

const target = useTarget()

async function resultsOf(program: string, args: readonly string[]): Promise<unknown> {
  const output = await mustRun(program, [...args, target().bootstrap], { limitMs: LIMIT_MS })
  return JSON.parse(output)
}

describe('clients that applications use', () => {
  it('franz-go produces, reads in a group that two members share, and administers', async () => {
    // Spool's topics have one config more than Kafka's: spool.durability.
    const configCount = target().kind === 'kafka' ? 37 : 38
    assert.deepEqual(await resultsOf(await installFranzGo(), []), {
      admin: { created: 0, createdAgain: 'TOPIC_ALREADY_EXISTS', configCount, deleted: 0 },
      codecs: { none: 400, gzip: 400, snappy: 400, lz4: 400, zstd: 400 },
      headers: { headers: ['a=1', 'a=null', 'b='], hasKey: false, timestamp: 1_700_000_000_123 },
      group: { together: [2, 2], alone: 4, delivered: 800, distinct: 400, committed: 800 },
      offsets: { earliest: 0, latest: 10, maxTimestamp: 9, between: 5, after: -1 },
      pipelined: { count: 1000, isInOrder: true },
      transactions: {
        ...{ copies: 400, distinct: 400, committed: 400 },
        ...{ hasAborted: true, isDirtySeen: true, isFenced: true },
      },
    })
  })

  it('confluent-kafka (librdkafka) does the same', async () => {
    const script = python('confluent_client.py')
    assert.deepEqual(await resultsOf(await installPythonClients(), [script]), {
      transactions: {
        ...{ copies: 400, distinct: 400, committed: 400 },
        ...{ hasAborted: true, isDirtySeen: true, fenced: '_FENCED' },
      },
      admin: {
        createdAgain: 'TOPIC_ALREADY_EXISTS',
        retention: '60000',
        partitions: 6,
        brokers: 1,
      },
      codecs: { none: 400, gzip: 400, snappy: 400, lz4: 400, zstd: 400 },
      headers: { headers: ['a=1', 'a=null', 'b='], hasKey: false, timestamp: 1_700_000_000_123 },
      group: {
        ...{ together: [2, 2], delivered: 800, distinct: 400, committed: 800, stored: 800 },
        ...{ state: 'EMPTY', listed: ['CLASSIC'] },
      },
      consumerGroup: {
        ...{ together: [2, 2], delivered: 800, distinct: 400, committed: 800, stored: 800 },
        ...{ state: 'EMPTY', listed: ['CONSUMER'] },
      },
      offsets: {
        ...{ earliest: 0, latest: 10, maxTimestamp: 9, between: 5, after: -1 },
        ...{ low: 0, high: 10, afterDelete: 4 },
      },
    })
  })

  it('kafka-python does the same', async () => {
    const script = python('kafka_python_client.py')
    assert.deepEqual(await resultsOf(await installPythonClients(), [script]), {
      admin: { createdAgain: 'TOPIC_ALREADY_EXISTS', partitions: 4 },
      codecs: { None: 200, gzip: 200, snappy: 200, lz4: 200, zstd: 200 },
      headers: { headers: ['a=1', 'b='], hasKey: false, timestamp: 1_700_000_000_123 },
      group: { together: [2, 2], delivered: 400, distinct: 200, committed: 400 },
      offsets: { earliest: 0, latest: 10, between: 5, isAfterNone: true },
      idempotent: { isInOrder: true },
    })
  })
})
