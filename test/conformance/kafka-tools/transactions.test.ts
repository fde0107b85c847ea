import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { useTarget } from '../support/use-target.ts'
import { mustRunTool, type ToolName, words } from './tool.ts'

const RECORD_COUNT = 2_000

const target = useTarget()

const run = (tool: ToolName, line: string): Promise<string> =>
  mustRunTool(tool, words(`--bootstrap-server ${target().bootstrap} ${line}`))

/** Values of the committed records of a topic of one partition, and nothing behind them. */
async function committedValues(topic: string): Promise<string[]> {
  const reading = `--topic ${topic} --from-beginning --isolation-level read_committed`
  const output = await run('console-consumer', `${reading} --timeout-ms 3000`)
  return output.split('\n').filter((line) => line !== '')
}

async function copy(output: string, flags: string): Promise<string> {
  const from = '--input-topic copier-in --input-partition 0'
  const to = `--output-topic ${output} --transactional-id ${output}`
  const servers = `--broker-list ${target().bootstrap} --consumer-group ${output}`
  const line = `${servers} ${from} ${to} --transaction-size 100 ${flags}`
  return mustRunTool('transactional-message-copier', words(line))
}

describe("Apache Kafka's tools for transactions", () => {
  before(async () => {
    for (const topic of ['copier-in', 'copier-out', 'copier-group-out']) {
      await run('topics', `--create --topic ${topic} --partitions 1`)
    }
    await run('verifiable-producer', `--topic copier-in --max-messages ${RECORD_COUNT} --acks -1`)
  })

  for (const [output, flags] of [
    ['copier-out', '--enable-random-aborts'],
    ['copier-group-out', '--enable-random-aborts --group-mode --use-group-metadata'],
  ] as const) {
    it(`TransactionalMessageCopier copies each record once (${flags})`, async () => {
      assert.match(await copy(output, flags), /"remaining":"?0\b/)
      const expected = Array.from({ length: RECORD_COUNT }, (_, index) => String(index))
      assert.deepEqual(await committedValues(output), expected)
      const group = await run('consumer-groups', `--describe --group ${output}`)
      assert.match(group, new RegExp(`copier-in\\s+0\\s+${RECORD_COUNT}\\s+${RECORD_COUNT}\\s+0`))
    })
  }

  it('transactions lists, describes and looks for hanging ones', async () => {
    assert.match(
      await run('transactions', 'list'),
      /copier-out\s+\d+\s+\d+\s+Complete(Commit|Abort)/,
    )
    const described = await run('transactions', 'describe --transactional-id copier-out')
    assert.match(described, /copier-out\s+\d+\s+\d+\s+Complete(Commit|Abort)/)
    const producers = await run(
      'transactions',
      'describe-producers --topic copier-out --partition 0',
    )
    assert.match(producers, /^\d+\s+\d+\s+\d+\s+-1\s+\d+\s+None/m)
    const hanging = await run('transactions', 'find-hanging --broker-id 1')
    assert.equal(hanging.trim().split('\n').length, 1, 'no row below the header')
  })

  it('a producer in transactions reaches its throughput, and its records are read', async () => {
    const size = '--topic copier-perf --num-records 5000 --record-size 100 --throughput -1'
    const transactional = '--transactional-id perf --transaction-duration-ms 50'
    const properties = `--command-property bootstrap.servers=${target().bootstrap}`
    const line = `${size} ${transactional} ${properties}`
    assert.match(await mustRunTool('producer-perf-test', words(line)), /5000 records sent/)
    assert.equal((await committedValues('copier-perf')).length, 5_000)
  })

  it('transactions go on while transaction.version is lowered step by step, and raised again', async () => {
    const size = '--topic copier-levels --num-records 100 --record-size 100 --throughput -1'
    const properties = `--command-property bootstrap.servers=${target().bootstrap}`
    const levels = [
      ['downgrade', 1],
      ['downgrade', 0],
      ['upgrade', 2],
    ] as const
    for (const [index, [way, level]] of levels.entries()) {
      const line = `${way} --feature transaction.version=${level}`
      assert.match(await run('features', line), new RegExp(`was ${way}d to ${level}`))
      // The same id all the time: its state is written in the form of each level, and read.
      const transactional = '--transactional-id levels --transaction-duration-ms 20'
      const sent = await mustRunTool(
        'producer-perf-test',
        words(`${size} ${transactional} ${properties}`),
      )
      assert.match(sent, /100 records sent/)
      assert.equal((await committedValues('copier-levels')).length, 100 * (index + 1))
    }
    assert.match(
      await run('features', 'describe'),
      /transaction\.version.*FinalizedVersionLevel: 2/,
    )
  })
})
