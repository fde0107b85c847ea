import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { useTarget } from '../support/use-target.ts'
import { mustRunTool, type ToolName, words } from './tool.ts'

const RECORD_COUNT = 1_000

/** The fields used here of the JSON lines that VerifiableShareConsumer prints. */
interface Line {
  readonly name: string
  readonly count?: number
  readonly success?: boolean
}

const target = useTarget()

const run = (tool: ToolName, line: string): Promise<string> =>
  mustRunTool(tool, words(`--bootstrap-server ${target().bootstrap} ${line}`))

const startEarly = (group: string): Promise<string> => {
  const config = '--alter --add-config share.auto.offset.reset=earliest'
  return run('configs', `${config} --entity-type groups --entity-name ${group}`)
}

describe("Apache Kafka's tools for share groups", () => {
  before(async () => {
    await run('topics', '--create --topic queue --partitions 3 --replication-factor 1')
    await run('verifiable-producer', `--topic queue --max-messages ${RECORD_COUNT} --acks -1`)
  })

  it('VerifiableShareConsumer reads every record once and gets it acknowledged', async () => {
    const end = `--offset-reset-strategy earliest --max-messages ${RECORD_COUNT}`
    const output = await run('verifiable-share-consumer', `--topic queue --group-id sharers ${end}`)
    const texts = output.split('\n').filter((text) => text.startsWith('{'))
    const lines = texts.map((text) => JSON.parse(text) as Line)
    const named = (name: string): Line[] => lines.filter((line) => line.name === name)
    const sum = (name: string): number =>
      named(name).reduce((total, line) => total + (line.count ?? 0), 0)
    assert.equal(sum('records_consumed'), RECORD_COUNT)
    assert.equal(sum('offsets_acknowledged'), RECORD_COUNT)
    assert.ok(named('offsets_acknowledged').every((line) => line.success === true))
    assert.equal(named('shutdown_complete').length, 1)
  })

  it('console-share-consumer gives rejected records up, and released ones to the next', async () => {
    await startEarly('console')
    const read = '--topic queue --group console --timeout-ms 15000 --max-messages'
    const first = await run('console-share-consumer', `${read} 5 --release`)
    const again = await run('console-share-consumer', `${read} 5 --reject`)
    assert.deepEqual(first.trim().split('\n').sort(), again.trim().split('\n').sort())
    const after = await run('console-share-consumer', `${read} 5`)
    const rejected = new Set(again.trim().split('\n'))
    assert.deepEqual(
      after.split('\n').filter((line) => rejected.has(line)),
      [],
    )
  })

  it('share-groups lists, describes, resets and deletes a group', async () => {
    assert.match(await run('share-groups', '--list --state'), /^sharers\s+Empty/m)
    const offsets = await run('share-groups', '--describe --group sharers')
    // The producer may have sent everything to one partition; the others have no start then.
    assert.match(offsets, /^sharers\s+queue\s+\d\s+\d+\s+0/m)
    const reset = '--reset-offsets --to-earliest --topic queue --execute'
    assert.match(await run('share-groups', `--group sharers ${reset}`), /^sharers\s+queue\s+0\s+0/m)
    const described = await run('share-groups', '--describe --group sharers --state')
    assert.match(described, /Empty/)
    assert.match(await run('share-groups', '--delete --group sharers'), /Deletion .* successful/i)
    assert.doesNotMatch(await run('share-groups', '--list'), /^sharers$/m)
  })
})
