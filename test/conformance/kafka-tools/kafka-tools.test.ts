import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { useTarget } from '../support/use-target.ts'
import { mustRunTool, runTool, type ToolName, words } from './tool.ts'

const target = useTarget()
let directory = ''

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'conformance-tools-'))
})
after(() => rm(directory, { recursive: true, force: true }))

const withServer = (line: string): string[] => [
  '--bootstrap-server',
  target().bootstrap,
  ...words(line),
]
const run = (tool: ToolName, line: string, input = ''): Promise<string> =>
  mustRunTool(tool, withServer(line), { input })

/** Reads `count` records from the start and returns the lines that the console consumer prints. */
async function read(topic: string, count: number, flags = ''): Promise<string[]> {
  const end = `--max-messages ${count} --timeout-ms 30000`
  const output = await run('console-consumer', `--topic ${topic} ${end} ${flags}`)
  return output.trim().split('\n')
}

test('api-versions finds every API of the data path usable', async () => {
  const output = await run('api-versions', '')
  for (const api of ['Produce(0): 0 to', 'Fetch(1): 4 to', 'JoinGroup(11)', 'ApiVersions(18)']) {
    assert.ok(output.includes(api), `${api} in\n${output}`)
  }
})

test('topics creates, describes, lists, grows and deletes a topic', async () => {
  const create = '--create --partitions 3 --replication-factor 1 --config retention.ms=60000'
  const topic = '--topic tools-topic'
  assert.match(await run('topics', `${topic} ${create}`), /Created topic/)
  const described = await run('topics', `${topic} --describe`)
  assert.match(
    described,
    /PartitionCount: 3\s+ReplicationFactor: 1\s+Configs:.*retention\.ms=60000/,
  )
  assert.match(described, /Partition: 2\s+Leader: 1\s+Replicas: 1\s+Isr: 1/)

  const again = await runTool('topics', withServer(`${topic} ${create}`))
  assert.notEqual(again.code, 0)
  assert.match(again.stdout + again.stderr, /already exists/)

  await run('topics', `${topic} --alter --partitions 5`)
  assert.match(await run('topics', `${topic} --describe`), /PartitionCount: 5/)
  assert.match(await run('topics', '--list'), /^tools-topic$/m)
  await run('topics', `${topic} --delete`)
  assert.doesNotMatch(await run('topics', '--list'), /^tools-topic$/m)
})

test('console-producer writes what console-consumer reads, with keys and headers', async () => {
  const properties = (flag: string, list: string): string =>
    words(list)
      .map((property) => `--${flag} ${property}`)
      .join(' ')
  const reader = properties(
    'reader-property',
    'parse.key=true key.separator=| parse.headers=true headers.delimiter=^',
  )
  const input = 'h1:v1^k1|first\nh1:v2^k2|second\nh1:v3^k3|third_ünïcode\n'
  await run('console-producer', `--topic tools-console ${reader}`, input)
  const formatter = properties(
    'formatter-property',
    'print.key=true print.headers=true key.separator=| headers.separator=,',
  )
  assert.deepEqual(await read('tools-console', 3, `--from-beginning ${formatter}`), [
    'h1:v1|k1|first',
    'h1:v2|k2|second',
    'h1:v3|k3|third_ünïcode',
  ])
})

test('get-offsets tells earliest, latest and the offset of the largest timestamp', async () => {
  await run('console-producer', '--topic tools-offsets', 'a\nb\nc\nd\n')
  const offset = async (time: string): Promise<string> =>
    (await run('get-offsets', `--topic tools-offsets --time ${time}`)).trim()
  assert.equal(await offset('earliest'), 'tools-offsets:0:0')
  assert.equal(await offset('latest'), 'tools-offsets:0:4')
  assert.match(await offset('max-timestamp'), /^tools-offsets:0:[0-3]$/)
})

test('delete-records moves the start of a partition', async () => {
  await run('console-producer', '--topic tools-delete', 'a\nb\nc\nd\n')
  const file = join(directory, 'delete.json')
  const partitions = [{ topic: 'tools-delete', partition: 0, offset: 3 }]
  await writeFile(file, JSON.stringify({ version: 1, partitions }))
  assert.match(await run('delete-records', `--offset-json-file ${file}`), /low_watermark: 3/)
  assert.deepEqual(await read('tools-delete', 1, '--from-beginning'), ['d'])
})

test('consumer-groups lists, describes, resets and deletes a group', async () => {
  await run('console-producer', '--topic tools-group', '1\n2\n3\n4\n5\n')
  const group = '--group tools-readers'
  await read('tools-group', 5, `--from-beginning ${group}`)
  assert.match(await run('consumer-groups', '--list'), /^tools-readers$/m)
  const described = await run('consumer-groups', `${group} --describe`)
  assert.match(described, /tools-readers\s+tools-group\s+0\s+5\s+5\s+0/)
  assert.match(await run('consumer-groups', `${group} --describe --state`), /Empty/)

  const reset = '--reset-offsets --to-offset 2 --execute --topic tools-group'
  const answer = await run('consumer-groups', `${group} ${reset}`)
  assert.match(answer, /tools-readers\s+tools-group\s+0\s+2/)
  assert.deepEqual(await read('tools-group', 3, group), ['3', '4', '5'])

  await run('consumer-groups', `${group} --delete-offsets --topic tools-group`)
  await run('consumer-groups', `${group} --delete`)
  assert.doesNotMatch(await run('consumer-groups', '--list'), /tools-readers/)
})

test('consumer-groups tells groups of the two protocols apart, and their states', async () => {
  await run('console-producer', '--topic tools-types', 'a\n')
  const all = '--from-beginning --consumer-property'
  await read('tools-types', 1, `${all} group.protocol=classic --group tools-classic`)
  await read('tools-types', 1, `${all} group.protocol=consumer --group tools-consumer`)
  assert.match(
    await run('consumer-groups', '--list --type consumer'),
    /^tools-consumer\s+Consumer\s*$/m,
  )
  assert.doesNotMatch(await run('consumer-groups', '--list --type consumer'), /tools-classic/)
  const empty = await run('consumer-groups', '--list --state empty')
  assert.match(empty, /^tools-classic\s+Empty\s*$/m)
  assert.match(empty, /^tools-consumer\s+Empty\s*$/m)
  const state = '--describe --state --verbose'
  assert.match(
    await run('consumer-groups', `--group tools-consumer ${state}`),
    /uniform\s+Empty\s+\d+\s+\d+\s+0/,
  )
  const members = await run(
    'consumer-groups',
    '--group tools-consumer --describe --members --verbose',
  )
  assert.match(members, /CURRENT-ASSIGNMENT\s+TARGET-EPOCH\s+TARGET-ASSIGNMENT/)
})

test('groups lists the group with its type and protocol', async () => {
  await run('console-producer', '--topic tools-groups', 'a\n')
  await read('tools-groups', 1, '--from-beginning --group tools-listed')
  assert.match(await run('groups', '--list'), /tools-listed\s+Classic\s+consumer/)
})

test('configs alters and describes a topic, and describes the broker', async () => {
  await run('topics', '--create --topic tools-configs')
  const topic = '--entity-type topics --entity-name tools-configs'
  const add = '--alter --add-config retention.ms=600000,cleanup.policy=[compact,delete]'
  assert.match(await run('configs', `${topic} ${add}`), /Completed updating config/)
  const described = await run('configs', `${topic} --describe`)
  assert.match(described, /retention\.ms=600000 sensitive=false synonyms=\{DYNAMIC_TOPIC_CONFIG/)
  assert.match(described, /cleanup\.policy=compact,delete/)

  await run('configs', `${topic} --alter --delete-config retention.ms`)
  assert.doesNotMatch(await run('configs', `${topic} --describe`), /retention\.ms/)
  const bad = withServer(`${topic} --alter --add-config retention.ms=soon`)
  assert.notEqual((await runTool('configs', bad)).code, 0)

  const broker = '--entity-type brokers --entity-name 1 --all --describe'
  assert.match(await run('configs', broker), /auto\.create\.topics\.enable=true/)
})

test('log-dirs reports the size of every replica', async () => {
  await run('console-producer', '--topic tools-dirs', 'a\n')
  const output = await run('log-dirs', '--describe --topic-list tools-dirs')
  const line = output.split('\n').find((text) => text.startsWith('{')) ?? '{}'
  const report = JSON.parse(line) as {
    brokers: { logDirs: { error: string | null; partitions: { size: number }[] }[] }[]
  }
  const logDir = report.brokers[0]?.logDirs[0]
  assert.equal(logDir?.error, null)
  assert.ok((logDir?.partitions[0]?.size ?? 0) > 60, line)
})

test('cluster and features name the cluster and what it supports', async () => {
  const address = ['--bootstrap-server', target().bootstrap]
  assert.match(await mustRunTool('cluster', ['cluster-id', ...address]), /Cluster ID: \S{22}/)
  const features = await mustRunTool('features', [...address, 'describe'])
  assert.match(features, /Feature: metadata\.version\s+SupportedMinVersion/)
})
