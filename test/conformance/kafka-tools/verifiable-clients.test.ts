import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { useTarget } from '../support/use-target.ts'
import { mustRunTool, type ToolName, words } from './tool.ts'

const RECORD_COUNT = 10_000

/** The fields used here of the JSON lines that the tools print. */
interface Line {
  readonly name: string
  readonly sent?: number
  readonly acked?: number
  readonly count?: number
  readonly success?: boolean
}

const target = useTarget()

const run = (tool: ToolName, line: string): Promise<string> =>
  mustRunTool(tool, words(`--bootstrap-server ${target().bootstrap} ${line}`))

async function runForLines(tool: ToolName, line: string): Promise<Line[]> {
  const lines = (await run(tool, line)).split('\n').filter((text) => text.startsWith('{'))
  return lines.map((text) => JSON.parse(text) as Line)
}

describe("Apache Kafka's system-test clients", () => {
  before(() => run('topics', '--create --topic verifiable --partitions 3 --replication-factor 1'))

  it('VerifiableProducer gets every record acknowledged', async () => {
    const count = `--max-messages ${RECORD_COUNT} --acks -1 --repeating-keys 100`
    const lines = await runForLines('verifiable-producer', `--topic verifiable ${count}`)
    const total = lines.find((line) => line.name === 'tool_data')
    assert.deepEqual([total?.sent, total?.acked], [RECORD_COUNT, RECORD_COUNT])
  })

  for (const protocol of ['classic', 'consumer']) {
    it(`VerifiableConsumer reads them in a group of the ${protocol} protocol and commits`, async () => {
      const group = `--topic verifiable --group-id verifiers-${protocol} --group-protocol ${protocol}`
      const end = `--reset-policy earliest --max-messages ${RECORD_COUNT}`
      const lines = await runForLines('verifiable-consumer', `${group} ${end}`)
      const named = (name: string): Line[] => lines.filter((line) => line.name === name)
      assert.ok(named('partitions_assigned').length > 0)
      assert.equal(named('shutdown_complete').length, 1)
      const total = named('records_consumed').reduce((sum, line) => sum + (line.count ?? 0), 0)
      assert.equal(total, RECORD_COUNT)
      const commits = named('offsets_committed')
      assert.ok(commits.length > 0 && commits.every((line) => line.success === true))
    })
  }

  it('ClientCompatibilityTest finds the features that it is told of', async () => {
    const claims = {
      'cluster-id-supported': true,
      'create-topics-supported': true,
      'expect-record-too-large-exception': false,
      'offsets-for-times-supported': true,
      'describe-configs-supported': true,
      'idempotent-producer-supported': true,
      'describe-acls-supported': true,
    }
    const flags = Object.entries(claims).map(([name, value]) => `--${name} ${value}`)
    const line = `${flags.join(' ')} --num-cluster-nodes 1 --topic compatibility`
    assert.match(await run('client-compatibility', line), /SUCCESS/)
  })
})
