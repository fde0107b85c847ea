import assert from 'node:assert/strict'
import { readdir, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { targetKind } from '../target.ts'
import { type NatsCli, startNatsServer, useNatsCli } from './use-nats-cli.ts'

const cli = useNatsCli()

/** Makes a stream with gaps, headers and a consumer that waits for acks. */
async function fill(server: NatsCli): Promise<void> {
  await server.run('stream', 'add', 'KEPT', '--subjects', 'kept.>', '--defaults')
  await server.run('pub', 'kept.a', 'one', '-H', 'Colour: red', '--jetstream')
  await server.run('pub', 'kept.b', 'm {{.Count}}', '--count', '500', '--jetstream')
  await server.run('pub', 'kept.c', '{{Random 300000 300000}}', '--count', '8', '--jetstream')
  for (const sequence of ['3', '250', '508']) {
    await server.run('stream', 'rmm', 'KEPT', sequence, '-f')
  }
  await server.run('consumer', 'add', 'KEPT', 'WORK', '--pull', '--defaults')
  await server.run('consumer', 'next', 'KEPT', 'WORK', '--count', '4')
  await server.run('consumer', 'next', 'KEPT', 'WORK', '--count', '2', '--no-ack')
}

/** What can be seen of the stream and its consumer, but for the names of servers. */
async function seen(server: NatsCli): Promise<object> {
  const stream = JSON.parse(await server.run('stream', 'info', 'KEPT', '--json'))
  const consumer = JSON.parse(await server.run('consumer', 'info', 'KEPT', 'WORK', '--json'))
  const { first_ts: first, last_ts: last, ...state } = stream.state
  const { delivered, ack_floor: floor, num_ack_pending, num_pending } = consumer
  const message = await server.run('stream', 'get', 'KEPT', '1')
  return {
    ...{ state, num_ack_pending, num_pending },
    times: [Date.parse(first), Date.parse(last)],
    delivered: [delivered.consumer_seq, delivered.stream_seq],
    floor: [floor.consumer_seq, floor.stream_seq],
    hasHeader: /Colour: red/.test(message),
  }
}

describe('the nats CLI and backups', () => {
  it('nats-server restores a backup with its sequences, gaps, headers, times and consumers', async () => {
    await fill(cli())
    const before = await seen(cli())
    const directory = join(cli().directory, 'backup')
    const backup = ['backup', 'stream', 'KEPT', directory, '--consumers', '--no-progress']
    assert.match(await cli().run(...backup), /Received [^\n]* compressed data/)
    const other = await startNatsServer(join(cli().directory, 'other'))
    try {
      const there = cli().at(other.address)
      await there.run('backup', 'restore', 'stream', directory, '--no-progress')
      assert.deepEqual(await seen(there), before)
      const next = await there.run('consumer', 'next', 'KEPT', 'WORK')
      assert.match(next, /cons seq: 7 \/ str seq: 8 /)
    } finally {
      await other.stop()
    }
  })

  it('a backup of nats-server comes back with all of it too', async () => {
    const other = await startNatsServer(join(cli().directory, 'origin'))
    const directory = join(cli().directory, 'of-nats-server')
    let before: object = {}
    try {
      const there = cli().at(other.address)
      await fill(there)
      before = await seen(there)
      await there.run('backup', 'stream', 'KEPT', directory, '--consumers', '--no-progress')
    } finally {
      await other.stop()
    }
    await cli().run('stream', 'rm', 'KEPT', '-f')
    await cli().run('backup', 'restore', 'stream', directory, '--no-progress')
    assert.deepEqual(await seen(cli()), before)
    const next = await cli().run('consumer', 'next', 'KEPT', 'WORK')
    assert.match(next, /cons seq: 7 \/ str seq: 8 /)
    const stored = await cli().run('pub', 'kept.d', 'new', '--jetstream')
    assert.match(stored, /Sequence: 510/)
  })

  it('a backup that is cut off is refused, and leaves no stream', async () => {
    const directory = join(cli().directory, 'cut')
    await cli().run('backup', 'stream', 'KEPT', directory, '--consumers', '--no-progress')
    await cli().run('stream', 'rm', 'KEPT', '-f')
    const [data = ''] = (await readdir(directory)).filter((name) => name.endsWith('.s2'))
    const path = join(directory, data)
    await truncate(path, Math.floor((await stat(path)).size / 2))
    const result = await cli().result('backup', 'restore', 'stream', directory, '--no-progress')
    assert.notEqual(result.code, 0)
    assert.match(result.stderr, /restore failed/)
    if (targetKind() === 'spool') {
      assert.doesNotMatch(await cli().run('stream', 'ls', '--names'), /^KEPT$/m)
    }
  })
})
