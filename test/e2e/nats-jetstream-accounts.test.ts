import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { JetStreamApiError, jetstream, jetstreamManager } from '@nats-io/jetstream'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import { cleanUp, newDirectory } from './spool-process.ts'

const BIN = new URL('../../bin/nats-server.mjs', import.meta.url).pathname

const children = new Set<ChildProcess>()
const clients = new Set<NatsConnection>()

after(async () => {
  for (const client of clients) await client.close()
  for (const child of children) child.kill('SIGKILL')
  await cleanUp()
})

const ACCOUNTS = `accounts {
  A {
    jetstream: enabled
    users: [{ user: a, password: a }]
    exports: [
      { service: "$JS.API.>", response: stream }
      { service: "$JS.ACK.>" }
      { service: "up.>" }
      { stream: "push.>" }
    ]
  }
  B {
    jetstream { max_streams: 2, max_consumers: 1, max_store: 1MB }
    users: [{ user: b, password: b }]
  }
  C { users: [{ user: c, password: c }] }
  D {
    users: [{ user: d, password: d }]
    imports: [
      { service: { account: A, subject: "$JS.API.>" }, to: "FROM.A.API.>" }
      { service: { account: A, subject: "$JS.ACK.>" } }
      { service: { account: A, subject: "up.>" } }
      { stream: { account: A, subject: "push.>" } }
    ]
  }
}
`

/** The launcher with the accounts, on data that may be there already. */
async function start(directory: string): Promise<{ child: ChildProcess; port: number }> {
  const file = join(directory, 'nats.conf')
  const head = `listen: "127.0.0.1:-1"\nports_file_dir: "${directory}"\n`
  writeFileSync(file, `${head}jetstream { store_dir: "${directory}" }\n${ACCOUNTS}`)
  const child = spawn(process.execPath, [BIN, '-c', file], { stdio: ['ignore', 'ignore', 'pipe'] })
  children.add(child)
  let output = ''
  for await (const chunk of child.stderr ?? []) {
    output += String(chunk)
    if (output.includes('Server is ready')) break
  }
  const portsFile = join(directory, `nats-server_${child.pid}.ports`)
  assert.ok(existsSync(portsFile), output)
  const { nats } = JSON.parse(readFileSync(portsFile, 'utf8')) as { nats: string[] }
  return { child, port: Number(new URL(nats[0] ?? '').port) }
}

async function client(port: number, user: string): Promise<NatsConnection> {
  const options = { servers: `127.0.0.1:${port}`, user, pass: user, reconnect: false }
  const connection = await connect(options)
  clients.add(connection)
  return connection
}

function refusedWith(code: number): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof JetStreamApiError, String(error))
    assert.equal(error.code, code)
    return true
  }
}

describe('JetStream in accounts', () => {
  it('keeps streams and consumers of one name apart, also after a restart', async () => {
    const directory = newDirectory()
    const first = await start(directory)
    for (const user of ['a', 'b']) {
      const connection = await client(first.port, user)
      const manager = await jetstreamManager(connection)
      await manager.streams.add({ name: 'S', subjects: ['s.>'] })
      await manager.consumers.add('S', { durable_name: 'D', ack_policy: 'explicit' })
      const ack = await jetstream(connection).publish('s.x', `of ${user}`)
      assert.equal(ack.seq, 1)
    }
    const onlyA = await jetstreamManager(await client(first.port, 'a'))
    await onlyA.streams.add({ name: 'ONLY', subjects: ['only'] })
    const exit = once(first.child, 'exit')
    first.child.kill('SIGTERM')
    await exit
    const { port } = await start(directory)
    for (const [user, streams] of [
      ['a', ['ONLY', 'S']],
      ['b', ['S']],
    ] as const) {
      const connection = await client(port, user)
      const manager = await jetstreamManager(connection)
      const names: string[] = []
      for await (const name of manager.streams.names()) names.push(name)
      assert.deepEqual(names, streams)
      const consumer = await jetstream(connection).consumers.get('S', 'D')
      const message = await consumer.next({ expires: 5000 })
      assert.equal(message?.string(), `of ${user}`)
      assert.equal(await message?.ackAck(), true)
      const info = await manager.streams.info('S')
      assert.equal(info.state.messages, 1)
    }
  })

  it('refuses what goes beyond the limits of the account', async () => {
    const { port } = await start(newDirectory())
    const manager = await jetstreamManager(await client(port, 'b'))
    const { limits } = await manager.getAccountInfo()
    assert.equal(limits.max_streams, 2)
    assert.equal(limits.max_storage, 1024 * 1024)
    await manager.streams.add({ name: 'S', subjects: ['s'], max_bytes: 1000 })
    await assert.rejects(
      manager.streams.add({ name: 'T', subjects: ['t'], max_bytes: 1024 * 1024 }),
      refusedWith(10047),
    )
    await manager.streams.add({ name: 'T', subjects: ['t'] })
    await assert.rejects(manager.streams.add({ name: 'U', subjects: ['u'] }), refusedWith(10027))
    await manager.consumers.add('S', { durable_name: 'D', ack_policy: 'explicit' })
    await assert.rejects(
      manager.consumers.add('S', { durable_name: 'E', ack_policy: 'explicit' }),
      refusedWith(10026),
    )
  })
})

describe('accounts without JetStream', () => {
  it('are told so', async () => {
    const { port } = await start(newDirectory())
    const connection = await client(port, 'c')
    for (const asked of ['INFO', 'STREAM.NAMES', 'STREAM.CREATE.S', 'CONSUMER.CREATE.S.c.s']) {
      const answer = await connection.request(`$JS.API.${asked}`)
      const { error } = answer.json<{ error: { code: number; err_code: number } }>()
      assert.deepEqual([error.code, error.err_code], [503, 10039], asked)
    }
    await assert.rejects(connection.request('$JS.API.CONSUMER.MSG.NEXT.S.c'))
  })

  it('use that of another by importing the API, acks and subjects', async () => {
    const { port } = await start(newDirectory())
    const own = await jetstreamManager(await client(port, 'a'))
    await own.streams.add({ name: 'S', subjects: ['up.>'] })
    await own.consumers.add('S', { durable_name: 'D', ack_policy: 'explicit' })
    const connection = await client(port, 'd')
    const options = { apiPrefix: 'FROM.A.API', timeout: 5000 }
    const published = await jetstream(connection, options).publish('up.1', 'hello')
    assert.deepEqual([published.stream, published.seq], ['S', 1])
    const consumer = await jetstream(connection, options).consumers.get('S', 'D')
    const message = await consumer.next({ expires: 5000 })
    assert.equal(message?.string(), 'hello')
    assert.equal(await message?.ackAck(), true)
    const info = await own.consumers.info('S', 'D')
    assert.equal(info.ack_floor.stream_seq, 1)
  })
  it('get what a push consumer of another sends by importing its subject', async () => {
    const { port } = await start(newDirectory())
    const owner = await client(port, 'a')
    const manager = await jetstreamManager(owner)
    await manager.streams.add({ name: 'S', subjects: ['up.>'] })
    const messages = (await client(port, 'd')).subscribe('push.d', { max: 1 })
    await manager.consumers.add('S', { deliver_subject: 'push.d', ack_policy: 'none' })
    await jetstream(owner).publish('up.1', 'hello')
    for await (const message of messages) {
      assert.equal(message.subject, 'up.1')
      assert.equal(message.string(), 'hello')
      assert.match(message.reply ?? '', /^\$JS\.ACK\.S\./)
    }
  })
})
