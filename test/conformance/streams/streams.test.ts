import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { targetKind } from '../target.ts'
import { copyProblems, countProblems } from './exact-output.ts'
import { runStreams } from './streams-run.ts'

const { SPOOL_CONFORMANCE_ALL } = process.env
const isAll = SPOOL_CONFORMANCE_ALL === '1'
const RECORD_COUNT = isAll ? 12_000 : 1_500
const kill = { killCount: isAll ? 12 : 2, recordCount: RECORD_COUNT }

for (const protocol of ['classic', 'streams'] as const) {
  const title = `Kafka Streams (group.protocol=${protocol}, exactly_once_v2)`
  describe(`${title}, while the application and the broker are killed`, () => {
    const facts = { kind: targetKind(), protocol, ...kill }

    it('copies every record once and in order', async () => {
      const output = await runStreams({ ...facts, topology: 'copy' })
      assert.deepEqual(copyProblems(output, RECORD_COUNT), [])
    })

    it('counts words, and no count is left out or given twice', async () => {
      const output = await runStreams({ ...facts, topology: 'count' })
      assert.deepEqual(countProblems(output, RECORD_COUNT), [])
    })
  })
}
