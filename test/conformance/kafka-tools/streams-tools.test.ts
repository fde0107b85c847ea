import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { installKafkaStreams } from '../peers/kafka-streams.ts'
import { mustRun } from '../support/command.ts'
import { ServerProcess } from '../support/server-process.ts'
import { useTarget } from '../support/use-target.ts'
import { mustRunTool, type ToolName, words } from './tool.ts'

const START_LIMIT_MS = 60_000
const RECORD_COUNT = 200
const APP = 'word-counter'

const target = useTarget()

const run = (tool: ToolName, line: string): Promise<string> =>
  mustRunTool(tool, words(`--bootstrap-server ${target().bootstrap} ${line}`))

describe("Apache Kafka's tools for streams groups", () => {
  let directory: string
  let app: ServerProcess | undefined
  let java: readonly string[]

  const arguments_ = (line: string): string[] => [...java, target().bootstrap, ...words(line)]

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'conformance-streams-tools-'))
    java = ['-Xmx256m', '-XX:+UseSerialGC', '-cp', await installKafkaStreams(), 'StreamsApp']
    await mustRun('java', arguments_('create in 2'))
    await mustRun('java', arguments_('create out 1'))
    await mustRun('java', arguments_(`fill in 0 ${RECORD_COUNT} 5`))
    app = new ServerProcess('java', arguments_(`count ${APP} in out ${directory} 0 streams`))
    await app.waitFor(/state RUNNING/, START_LIMIT_MS)
    await mustRun('java', arguments_(`total out ${RECORD_COUNT}`))
  })
  after(async () => {
    await app?.stop('SIGKILL')
    await rm(directory, { recursive: true, force: true })
  })

  it('groups and streams-groups list it', async () => {
    assert.match(await run('groups', '--list --streams'), /^word-counter\s+Streams\s+streams/m)
    assert.match(await run('streams-groups', '--list --state'), /^word-counter\s+Stable/m)
  })

  it('streams-groups describes its members, tasks, state and offsets', async () => {
    const describe_ = `--describe --group ${APP}`
    const members = await run('streams-groups', `${describe_} --members --verbose`)
    assert.match(members, /ACTIVE: 0:\[0/)
    assert.match(await run('streams-groups', `${describe_} --state --verbose`), /Stable/)
    const offsets = await run('streams-groups', describe_)
    assert.match(offsets, /^word-counter\s+in\s+[01]\s+/m)
  })

  it('streams-groups resets and deletes it with its internal topics once it is empty', async () => {
    await app?.stop()
    app = undefined
    // The member that was ended without a word is thrown out when its session is over.
    const reset = `--reset-offsets --to-earliest --input-topic in --execute --group ${APP}`
    assert.match(await run('streams-groups', reset), /^word-counter\s+in\s+[01]\s+0/m)
    const deleted = await run(
      'streams-groups',
      `--delete --group ${APP} --delete-all-internal-topics`,
    )
    assert.match(deleted, /Deletion of .*successful/i)
    assert.doesNotMatch(await run('streams-groups', '--list'), /word-counter/)
    assert.doesNotMatch(await run('topics', '--list'), /word-counter-/)
  })
})
