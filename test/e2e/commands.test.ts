import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { cleanUp, newDirectory, runSpool, type Server, serve, stop } from './spool-process.ts'

let server: Server

before(async () => {
  server = await serve(newDirectory())
})
after(cleanUp)

/** Runs a command against the broker and reads its JSON. */
async function spool(...args: readonly string[]): Promise<unknown> {
  const { code, stdout, stderr } = await runSpool(...args, '-b', server.bootstrap, '-o', 'json')
  assert.equal(code, 0, stderr)
  return JSON.parse(stdout)
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

describe('the broker under the commands', () => {
  it('stops cleanly and had nothing to complain about', async () => {
    assert.equal(await stop(server), 0)
    assert.equal(server.errors(), '')
  })
})
