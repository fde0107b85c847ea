import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import {
  cleanUp,
  kafkaOf,
  newDirectory,
  runSpool,
  type Server,
  serve,
  stop,
} from './spool-process.ts'

after(cleanUp)

const KEYS = ['a', 'b', 'c']

async function fill(server: Server): Promise<void> {
  const producer = kafkaOf(server).producer()
  await producer.connect()
  for (let round = 0; round < 50; round++) {
    const messages = KEYS.map((key) => ({ key, value: `${key}${round}` }))
    await producer.send({ topic: 'table', messages })
  }
  await producer.send({ topic: 'table', messages: [{ key: 'a', value: null }] })
  await producer.disconnect()
}

describe('spool log compact', () => {
  it('compacts a topic of a stopped broker, which then serves the newest record of each key', async () => {
    const directory = newDirectory()
    const server = await serve(directory)
    const { bootstrap } = server
    const policy = ['-c', 'cleanup.policy=compact']
    await runSpool('topic', 'create', 'table', '-p', '1', ...policy, '-b', bootstrap)
    await runSpool('topic', 'create', 'events', '-p', '1', '-b', bootstrap)
    await fill(server)

    const where = ['--data-dir', directory]
    const running = await runSpool('log', 'compact', 'table', ...where)
    assert.equal(running.code, 1)
    assert.match(running.stderr, /in use by Spool process \d+/)
    await stop(server)

    const compacted = await runSpool('log', 'compact', 'table', ...where, '-o', 'json')
    assert.equal(compacted.code, 0, compacted.stderr)
    const [{ bytesBefore, bytesAfter, compactedTo }] = JSON.parse(compacted.stdout)
    assert.equal(compactedTo, 151)
    assert(bytesAfter * 10 < bytesBefore, `${bytesBefore} bytes became ${bytesAfter}`)

    const again = await serve(directory)
    const consumed = await runSpool(
      'consume',
      'table',
      '--from-beginning',
      '--timeout',
      '1000',
      '-b',
      again.bootstrap,
    )
    assert.equal(consumed.code, 0, consumed.stderr)
    assert.match(consumed.stdout, /b49/)
    assert.match(consumed.stdout, /c49/)
    assert.doesNotMatch(consumed.stdout, /[abc]\d?[0-8]\b/)
    await stop(again)
  })

  it('says what is wrong with what it is asked for', async () => {
    const directory = newDirectory()
    const nothing = await runSpool('log', 'compact', 'table', '--data-dir', directory)
    assert.deepEqual([nothing.code, /holds no data of a broker/.test(nothing.stderr)], [1, true])
    const server = await serve(directory)
    await runSpool('topic', 'create', 'events', '-p', '1', '-b', server.bootstrap)
    await stop(server)
    const where = ['--data-dir', directory]
    for (const [args, expected] of [
      [['nowhere'], /there is no topic nowhere/],
      [['events'], /events has cleanup.policy delete: set compact/],
    ] as const) {
      const refused = await runSpool('log', 'compact', ...args, ...where)
      assert.equal(refused.code, 1)
      assert.match(refused.stderr, expected)
    }
  })
})
