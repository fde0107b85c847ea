import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Message } from 'kafkajs'
import {
  cleanUp,
  ended,
  endOf,
  kafkaOf,
  newDirectory,
  runSpool,
  type Server,
  serve,
  spawnSpool,
  stop,
} from './spool-process.ts'

let server: Server

before(async () => {
  // Long enough that a group is seen before it is complete.
  server = await serve(newDirectory(), { 'group.initial.rebalance.delay.ms': '2000' })
})
after(cleanUp)

/** Runs a command against the broker and reads its JSON. */
async function spool(...args: readonly string[]): Promise<unknown> {
  const { code, stdout, stderr } = await runSpool(...args, '-b', server.bootstrap, '-o', 'json')
  assert.equal(code, 0, stderr)
  return JSON.parse(stdout)
}

interface GroupRow {
  readonly members: number
  readonly state: string
}

interface Described {
  readonly partitions: readonly { readonly partition: number }[]
  readonly configs: readonly { readonly name: string; value: string; readonly isSet: boolean }[]
}

/** Configurations that were set for the topic. */
async function setConfigs(topic: string): Promise<Record<string, string>> {
  const { configs } = (await spool('topic', 'describe', topic)) as Described
  const set = configs.filter(({ isSet }) => isSet)
  return Object.fromEntries(set.map(({ name, value }) => [name, value]))
}

describe('spool topic', () => {
  it('creates with configs, adds partitions, lists and deletes', async () => {
    const created = await spool('topic', 'create', 'a', '-p', '2', '-c', 'retention.ms=60000')
    assert.deepEqual(created, { topic: 'a', partitions: 2 })
    await spool('topic', 'alter', 'a', '-p', '3')
    const { partitions } = (await spool('topic', 'describe', 'a')) as Described
    assert.deepEqual(
      partitions.map(({ partition }) => partition),
      [0, 1, 2],
    )
    assert.deepEqual(await setConfigs('a'), { 'retention.ms': '60000' })
    await spool('topic', 'delete', 'a')
    assert.deepEqual(await spool('topic', 'list'), [])
  })

  it('changes one config and leaves those that others change at the same time (KIP-339)', async () => {
    await spool('topic', 'create', 'b', '-c', 'segment.ms=7000')
    const changes = ['retention.ms=1000', 'segment.bytes=1048576', 'max.message.bytes=2000']
    await Promise.all(changes.map((change) => spool('topic', 'alter', 'b', '-c', change)))
    assert.deepEqual(await setConfigs('b'), {
      'max.message.bytes': '2000',
      'retention.ms': '1000',
      'segment.bytes': '1048576',
      'segment.ms': '7000',
    })
    await spool('topic', 'alter', 'b', '--reset', 'segment.ms', '-c', 'retention.ms=2000')
    assert.deepEqual(await setConfigs('b'), {
      'max.message.bytes': '2000',
      'retention.ms': '2000',
      'segment.bytes': '1048576',
    })
  })

  it('says so when the topic is there already, or is not', async () => {
    await spool('topic', 'create', 'c')
    const again = await runSpool('topic', 'create', 'c', '-b', server.bootstrap)
    assert.deepEqual([again.code, again.stderr], [1, 'spool: the topic c is there already\n'])
    const missing = await runSpool('topic', 'alter', 'd', '-p', '2', '-b', server.bootstrap)
    assert.deepEqual([missing.code, missing.stderr], [1, 'spool: there is no topic d\n'])
  })
})

/** Waits until `check` holds for the groups of the broker; the time limit of the runner ends it. */
async function groupsWhen(check: (groups: readonly GroupRow[]) => boolean): Promise<void> {
  while (!check((await spool('group', 'list')) as GroupRow[]));
}

async function produce(topic: string, messages: readonly Message[]): Promise<void> {
  const producer = kafkaOf(server).producer()
  await producer.connect()
  await producer.send({ topic, messages: [...messages] })
  await producer.disconnect()
}

const read = (...args: readonly string[]) =>
  runSpool('consume', 'read', '-b', server.bootstrap, ...args)

describe('spool consume', () => {
  before(async () => {
    await spool('topic', 'create', 'read', '-p', '2')
    await produce('read', [
      { partition: 0, key: 'a', value: 'zero', headers: { h: 'x' }, timestamp: '1700000000000' },
      { partition: 0, key: null, value: 'one' },
      { partition: 1, key: '', value: null, timestamp: '1700000000001' },
    ])
  })

  it('prints what is asked for: from the beginning, from an offset, of a partition', async () => {
    const all = await read('--from-beginning', '-n', '3', '-o', 'json')
    assert.equal(all.stderr, '')
    const records = all.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    const byPlace = records.toSorted((a, b) => a.partition - b.partition || a.offset - b.offset)
    assert.deepEqual(
      byPlace.map(({ timestamp, ...record }) => record),
      [
        { topic: 'read', partition: 0, offset: 0, key: 'a', value: 'zero', headers: [['h', 'x']] },
        { topic: 'read', partition: 0, offset: 1, key: null, value: 'one', headers: [] },
        { topic: 'read', partition: 1, offset: 0, key: '', value: null, headers: [] },
      ],
    )
    assert.deepEqual([byPlace[0].timestamp, byPlace[2].timestamp], [1700000000000, 1700000000001])
    const fromOffset = await read('--offset', '1', '-p', '0', '-n', '1', '--print-key')
    assert.deepEqual(fromOffset, { code: 0, stdout: '\tone\n', stderr: '' })
    const latest = await read('--timeout', '100')
    assert.deepEqual(latest, { code: 0, stdout: '', stderr: '' })
    const group = await read('-g', 'g', '--from-beginning', '-n', '2', '-p', '0')
    assert.deepEqual(group, { code: 0, stdout: 'zero\none\n', stderr: '' })
    await spool('group', 'delete', 'g')
  })

  it('names a topic or a partition that is not there', async () => {
    const missing = await runSpool('consume', 'missing', '-b', server.bootstrap)
    assert.deepEqual([missing.code, missing.stderr], [1, 'spool: there is no topic missing\n'])
    const partition = await read('-p', '2')
    assert.deepEqual(
      [partition.code, partition.stderr],
      [1, 'spool: read has no partition 2, only 0, 1\n'],
    )
  })
})

describe('spool consume ends in order', () => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`without a group leaves none behind, and ends with ${signal}`, async () => {
      const reader = spawnSpool(['consume', 'read', '--from-beginning', '-b', server.bootstrap])
      const result = ended(reader)
      await new Promise((resolve) => reader.stdout?.once('data', resolve))
      assert.deepEqual(await spool('group', 'list'), [])
      reader.kill(signal)
      const { code, stderr } = await result
      assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
      assert.deepEqual(await spool('group', 'list'), [])
    })
  }

  for (const [state, signal] of [
    ['Stable', 'SIGINT'],
    ['PreparingRebalance', 'SIGTERM'],
  ] as const) {
    it(`in a group leaves it when ${signal} comes while it is ${state}`, async () => {
      const reader = spawnSpool(['consume', 'read', '-g', 'mine', '-b', server.bootstrap])
      const result = ended(reader)
      await groupsWhen((groups) => groups.some((group) => group.state === state))
      reader.kill(signal)
      assert.deepEqual(await result, { code: 0, stdout: '', stderr: '' })
      await groupsWhen((groups) => groups.every(({ members }) => members === 0))
      await spool('group', 'delete', 'mine')
    })
  }

  it('when nobody reads its output any more', async () => {
    const reader = spawnSpool(['consume', 'read', '--from-beginning', '-b', server.bootstrap])
    const end = endOf(reader)
    await new Promise((resolve) => reader.stdout?.once('data', resolve))
    reader.stdout?.destroy()
    await produce('read', [{ value: 'unread' }])
    assert.equal(await end, 0)
  })
})

describe('the broker under the commands', () => {
  it('stops cleanly and had nothing to complain about', async () => {
    assert.equal(await stop(server), 0)
    assert.equal(server.errors(), '')
  })
})
