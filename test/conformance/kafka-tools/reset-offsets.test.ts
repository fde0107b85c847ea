import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { useTarget } from '../support/use-target.ts'
import { mustRunTool, runTool, type ToolName, words } from './tool.ts'

const RECORD_COUNT = 10
const target = useTarget()
let directory = ''

const withServer = (line: string): string[] =>
  words(`--bootstrap-server ${target().bootstrap} ${line}`)
const run = (tool: ToolName, line: string, input = ''): Promise<string> =>
  mustRunTool(tool, withServer(line), { input })

/** What a reset says that it sets, by `topic-partition`. */
async function reset(options: string, group = 'resets'): Promise<Record<string, number>> {
  const output = await run('consumer-groups', `--group ${group} --reset-offsets ${options}`)
  const rows = [...output.matchAll(new RegExp(`^${group}\\s+(\\S+)\\s+(\\d+)\\s+(\\d+)`, 'gm'))]
  return Object.fromEntries(
    rows.map(([, topic, partition, offset]) => [`${topic}-${partition}`, Number(offset)]),
  )
}

/** What the group has after it. */
async function committed(group = 'resets'): Promise<Record<string, number>> {
  const output = await run('consumer-groups', `--group ${group} --describe`)
  const rows = [...output.matchAll(new RegExp(`^${group}\\s+(\\S+)\\s+(\\d+)\\s+(\\d+)`, 'gm'))]
  return Object.fromEntries(
    rows.map(([, topic, partition, offset]) => [`${topic}-${partition}`, Number(offset)]),
  )
}

let filled: Promise<void> | undefined

async function fill(): Promise<void> {
  directory = await mkdtemp(join(tmpdir(), 'conformance-resets-'))
  await run('topics', '--create --topic one --partitions 1')
  await run('topics', '--create --topic two --partitions 2')
  const lines = Array.from({ length: RECORD_COUNT }, (_, index) => `${index}\n`).join('')
  await run('console-producer', '--topic one', lines)
}

/** Once, before the tests of whichever part comes first. */
function beforeAll(): void {
  before(() => {
    filled ??= fill()
    return filled
  })
}

after(() => rm(directory, { recursive: true, force: true }))

describe('kafka-consumer-groups --reset-offsets, where to', () => {
  beforeAll()

  it('makes a group that is not there, at an offset within the log', async () => {
    assert.deepEqual(await reset('--topic one --to-offset 4 --execute'), { 'one-0': 4 })
    assert.deepEqual(await committed(), { 'one-0': 4 })
    // What is outside of the log becomes its nearest end.
    assert.deepEqual(await reset('--topic one --to-offset 99 --execute'), { 'one-0': 10 })
  })

  it('sets nothing in a dry run, which is the default', async () => {
    await reset('--topic one --to-offset 4 --execute')
    assert.deepEqual(await reset('--topic one --to-earliest --dry-run'), { 'one-0': 0 })
    assert.deepEqual(await reset('--topic one --to-latest'), { 'one-0': 10 })
    assert.deepEqual(await committed(), { 'one-0': 4 })
  })

  it('goes to both ends, and by a number of records both ways', async () => {
    assert.deepEqual(await reset('--topic one --to-latest --execute'), { 'one-0': 10 })
    assert.deepEqual(await reset('--topic one --shift-by -3 --execute'), { 'one-0': 7 })
    assert.deepEqual(await reset('--topic one --shift-by 2 --execute'), { 'one-0': 9 })
    assert.deepEqual(await reset('--topic one --shift-by 50 --execute'), { 'one-0': 10 })
    assert.deepEqual(await reset('--topic one --to-earliest --execute'), { 'one-0': 0 })
    assert.deepEqual(await reset('--topic one --to-current --execute'), { 'one-0': 0 })
  })

  it('goes to a time and back by a duration; behind the last record that is the end', async () => {
    const past = '2020-01-01T00:00:00.000'
    assert.deepEqual(await reset(`--topic one --to-datetime ${past} --execute`), { 'one-0': 0 })
    const future = '2099-01-01T00:00:00.000'
    assert.deepEqual(await reset(`--topic one --to-datetime ${future} --execute`), { 'one-0': 10 })
    assert.deepEqual(await reset('--topic one --by-duration P1D --execute'), { 'one-0': 0 })
    assert.deepEqual(await reset('--topic one --by-duration PT0S --execute'), { 'one-0': 10 })
  })
})

describe('kafka-consumer-groups --reset-offsets, of what', () => {
  beforeAll()

  it('takes some partitions of a topic, and all that the group has', async () => {
    await reset('--topic one --to-offset 3 --execute')
    assert.deepEqual(await reset('--topic two:1 --to-earliest --execute'), { 'two-1': 0 })
    const all = { 'one-0': 10, 'two-1': 0 }
    assert.deepEqual(await reset('--all-topics --to-latest --execute'), all)
    assert.deepEqual(await committed(), all)
  })

  it('writes what it would set as a file, and sets what a file says', async () => {
    await reset('--topic one --to-offset 6 --execute')
    const exported = await run(
      'consumer-groups',
      '--group resets --reset-offsets --topic one --to-current --export --dry-run',
    )
    assert.match(exported, /"?one"?,0,6/)
    const file = join(directory, 'offsets.csv')
    await writeFile(file, 'one,0,2\n')
    assert.deepEqual(await reset(`--from-file ${file} --execute`), { 'one-0': 2 })
    assert.equal((await committed())['one-0'], 2)
  })

  it('takes several groups, and all of them', async () => {
    await reset('--topic one --to-offset 1 --execute', 'others')
    const output = await run(
      'consumer-groups',
      '--all-groups --reset-offsets --topic one --to-offset 8 --execute',
    )
    assert.match(output, /^resets\s+one\s+0\s+8/m)
    assert.match(output, /^others\s+one\s+0\s+8/m)
    assert.deepEqual(await committed('others'), { 'one-0': 8 })
  })

  it('sets nothing while the group has members', async () => {
    const reader = runTool(
      'console-consumer',
      withServer('--topic one --group readers --timeout-ms 12000'),
    )
    const state = async (): Promise<string> =>
      (await runTool('consumer-groups', withServer('--group readers --describe --state'))).stdout
    let isStable = false
    for (let look = 0; look < 20 && !isStable; look++) isStable = /Stable/.test(await state())
    assert.ok(isStable, 'the reader joins')
    const line = '--group readers --reset-offsets --topic one --to-earliest --execute'
    const { stdout, stderr } = await runTool('consumer-groups', withServer(line))
    assert.match(stdout + stderr, /current state is Stable/)
    await reader
  })

  it('deletes offsets of one topic only', async () => {
    await reset('--topic one --topic two --to-earliest --execute')
    const deleted = await run('consumer-groups', '--group resets --delete-offsets --topic two')
    assert.match(deleted, /two\s+1\s+Successful/)
    assert.deepEqual(Object.keys(await committed()), ['one-0'])
  })
})

describe('kafka-consumer-groups --list and --delete', () => {
  beforeAll()

  it('lists by state and by type, with words in any case', async () => {
    await reset('--topic one --to-earliest --execute', 'listed')
    const list = (flags: string): Promise<string> => run('consumer-groups', `--list ${flags}`)
    assert.match(await list('--state Empty'), /^listed\s+Empty\s*$/m)
    assert.match(await list('--state EMPTY,stable'), /^listed\s+Empty\s*$/m)
    assert.doesNotMatch(await list('--state stable'), /^listed/m)
    assert.match(await list('--type Classic'), /^listed\s+Classic\s*$/m)
    assert.doesNotMatch(await list('--type consumer'), /^listed/m)
    assert.match(await list('--state empty --type classic'), /^listed\s+(Empty|Classic)\s+\w+/m)
  })

  it('deletes groups, and says of each that it can not why', async () => {
    await reset('--topic one --to-earliest --execute', 'deleted')
    const line = '--delete --group deleted --group nobody'
    const { stdout, stderr } = await runTool('consumer-groups', withServer(line))
    assert.match(stdout + stderr, /nobody.*GroupIdNotFoundException/s)
    assert.doesNotMatch(await run('consumer-groups', '--list'), /^deleted$/m)
  })
})
