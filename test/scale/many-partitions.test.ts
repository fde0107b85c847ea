import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runManyPartitions } from './many-partitions.ts'

const PARTITION_COUNT = 400
const OPEN_FILE_LIMIT = 200

test('more partitions than the system lets the process open files are served, after kill -9 too', async () => {
  const steps = await runManyPartitions({
    topicCount: 2,
    partitionsPerTopic: PARTITION_COUNT / 2,
    batchCount: 2,
    openFileLimit: OPEN_FILE_LIMIT,
  })
  for (const { step, openFiles } of steps) {
    assert.ok(openFiles < OPEN_FILE_LIMIT, `${step}: ${openFiles} open files`)
  }
})
