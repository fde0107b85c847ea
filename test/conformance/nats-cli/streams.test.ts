import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { useNatsCli } from './use-nats-cli.ts'

const cli = useNatsCli()

async function addStream(name: string, subject: string): Promise<string> {
  return await cli().run('stream', 'add', name, '--subjects', subject, '--defaults')
}

describe('the nats CLI and streams', () => {
  it('a stream is added, filled, looked at, purged and removed', async () => {
    const added = await addStream('ORDERS', 'orders.>')
    assert.match(added, /Stream ORDERS was created[\s\S]*Subjects: orders\.>/)
    const stored = await cli().run('pub', 'orders.1', 'one', '--jetstream')
    assert.match(stored, /Stored in Stream: ORDERS Sequence: 1/)
    await cli().run('pub', 'orders.2', 'two {{.Count}}', '--count', '3', '--jetstream')
    const info = await cli().run('stream', 'info', 'ORDERS')
    assert.match(info, /Messages: 4\s/)
    assert.match(info, /First Sequence: 1 @ [\s\S]*Last Sequence: 4 @/)
    assert.match(info, /Number of Subjects: 2/)
    assert.match(await cli().run('stream', 'subjects', 'ORDERS'), /│ orders\.2 │ 3 /)
    assert.match(await cli().run('stream', 'get', 'ORDERS', '1'), /Subject orders\.1\s+one/)
    const view = await cli().runInTerminal('stream', 'view', 'ORDERS', '10')
    assert.match(
      view,
      /\[1\] Subject: orders\.1 [^\n]*\s+one\s+\[2\] Subject: orders\.2 [^\n]*\s+two 1/,
    )
    assert.match(view, /Reached apparent end of data/)
    const purged = await cli().run('stream', 'purge', 'ORDERS', '--subject', 'orders.1', '-f')
    assert.match(purged, /Purged 1 messages from ORDERS[\s\S]*Messages: 3\s/)
    await cli().run('stream', 'rmm', 'ORDERS', '2', '-f')
    assert.match(await cli().run('stream', 'info', 'ORDERS'), /Messages: 2\s/)
    assert.match(await cli().run('stream', 'ls', '--names'), /^ORDERS$/m)
    await cli().run('stream', 'rm', 'ORDERS', '-f')
    assert.doesNotMatch(await cli().run('stream', 'ls', '--names'), /^ORDERS$/m)
  })

  it('an edit of a stream holds for what it has', async () => {
    await addStream('EDITED', 'edited')
    await cli().run('pub', 'edited', '{{.Count}}', '--count', '5', '--jetstream')
    const edited = await cli().run('stream', 'edit', 'EDITED', '--max-msgs', '2', '-f')
    assert.match(edited, /Stream EDITED was updated[\s\S]*Maximum Messages: 2\s/)
    const info = await cli().run('stream', 'info', 'EDITED')
    assert.match(info, /Messages: 2\s[\s\S]*First Sequence: 4 @/)
  })
})

describe('the nats CLI and consumers', () => {
  it('a consumer gives messages, and knows what was acknowledged', async () => {
    await addStream('JOBS', 'jobs.*')
    await cli().run('pub', 'jobs.a', 'job {{.Count}}', '--count', '4', '--jetstream')
    const added = await cli().run('consumer', 'add', 'JOBS', 'WORK', '--pull', '--defaults')
    assert.match(added, /Ack Policy: Explicit[\s\S]*Unprocessed Messages: 4\s/)
    const next = await cli().run('consumer', 'next', 'JOBS', 'WORK', '--count', '2')
    assert.match(
      next,
      /subj: jobs\.a \/ tries: 1 \/ cons seq: 1 \/ str seq: 1 \/ pending: 3\s+job 1/,
    )
    assert.match(next, /str seq: 2 \/ pending: 2\s+job 2\s+Acknowledged message/)
    await cli().run('consumer', 'next', 'JOBS', 'WORK', '--count', '1', '--no-ack')
    const info = await cli().run('consumer', 'info', 'JOBS', 'WORK')
    assert.match(info, /Last Delivered Message: Consumer sequence: 3 Stream sequence: 3 /)
    assert.match(info, /Acknowledgment Floor: Consumer sequence: 2 Stream sequence: 2 /)
    assert.match(info, /Outstanding Acks: 1 out of maximum 1,000/)
    assert.match(info, /Unprocessed Messages: 1\s/)
    assert.match(await cli().run('consumer', 'ls', 'JOBS', '--names'), /^WORK$/m)
    await cli().run('consumer', 'rm', 'JOBS', 'WORK', '-f')
    assert.doesNotMatch(await cli().run('consumer', 'ls', 'JOBS', '--names'), /^WORK$/m)
  })

  it('server check finds streams, consumers and messages', async () => {
    await addStream('CHECKED', 'checked')
    await cli().run('pub', 'checked', 'hi', '--jetstream')
    await cli().run('consumer', 'add', 'CHECKED', 'C', '--pull', '--defaults')
    const check = (...args: string[]) => cli().run('server', 'check', ...args)
    assert.match(await check('jetstream'), /^OK JetStream .* streams=[1-9]/)
    assert.match(await check('stream', '--stream', 'CHECKED'), /^OK CHECKED /)
    assert.match(await check('consumer', '--stream', 'CHECKED', '--consumer', 'C'), /^OK CHECKED_C/)
    const message = await check('message', '--stream', 'CHECKED', '--subject', 'checked')
    assert.match(message, /^OK Stream Message OK:Valid message on CHECKED > checked .* size=2B/)
    const none = await cli().result('server', 'check', 'stream', '--stream', 'NONE')
    assert.equal(none.code, 2)
    assert.match(none.stdout, /^CRITICAL NONE Crit:could not load info: stream not found \(10059\)/)
  })

  it('bench publishes to a stream and reads it', async () => {
    await addStream('BENCH', 'bench')
    await cli().run('consumer', 'add', 'BENCH', 'ONE', '--pull', '--defaults')
    await cli().run('consumer', 'add', 'BENCH', 'TWO', '--pull', '--defaults')
    const bench = (msgs: number, ...args: string[]) =>
      cli().run('bench', 'js', ...args, '--stream', 'BENCH', '--msgs', `${msgs}`, '--no-progress')
    const stats = (what: string) => new RegExp(`JetStream ${what} stats: [\\d,]+ msgs/sec`)
    assert.match(await bench(50, 'pub', 'sync', 'bench'), stats('synchronous publisher'))
    assert.match(await bench(50, 'pub', 'async', 'bench'), stats('asynchronous publisher'))
    assert.match(await cli().run('stream', 'info', 'BENCH'), /Messages: 100\s/)
    assert.match(await bench(100, 'ordered'), stats('ordered ephemeral consumer'))
    const consume = await bench(100, 'consume', '--consumer', 'ONE')
    assert.match(consume, stats('durable consumer \\(callback\\)'))
    const fetch = await bench(100, 'fetch', '--consumer', 'TWO')
    assert.match(fetch, stats('durable consumer \\(fetch\\)'))
    assert.match(await bench(50, 'get', 'sync'), stats('synchronous getter'))
  })
})
