import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import { Kvm } from '@nats-io/kv'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import { cleanUp, newDirectory } from './spool-process.ts'

const BIN = new URL('../../bin/nats-server.mjs', import.meta.url).pathname

async function start(): Promise<{ child: ChildProcess; port: number }> {
  const directory = newDirectory()
  const file = join(directory, 'nats.conf')
  const block = `jetstream { domain: hub, store_dir: "${directory}" }`
  const accounts = `accounts {
      A { jetstream: enabled, users: [{ user: a, password: a }] }
      B { users: [{ user: b, password: b }] }
    }`
  const head = `listen: "127.0.0.1:-1"\nports_file_dir: "${directory}"`
  writeFileSync(file, `${head}\n${block}\n${accounts}\nno_auth_user: a\n`)
  const child = spawn(process.execPath, [BIN, '-c', file], { stdio: ['ignore', 'ignore', 'pipe'] })
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

describe('a server with a JetStream domain', () => {
  let child: ChildProcess
  let client: NatsConnection
  let port = 0

  before(async () => {
    ;({ child, port } = await start())
    client = await connect({ servers: `127.0.0.1:${port}`, reconnect: false })
  })

  after(async () => {
    await client.close()
    child.kill('SIGKILL')
    await cleanUp()
  })

  it('names it in INFO, the account, streams, acks and advisories', async () => {
    assert.equal((client.info as { domain?: string }).domain, 'hub')
    const manager = await jetstreamManager(client)
    assert.equal((await manager.getAccountInfo()).domain, 'hub')
    const advisories = client.subscribe('$JS.EVENT.ADVISORY.STREAM.CREATED.N', { max: 1 })
    const created = await client.request(
      '$JS.API.STREAM.CREATE.N',
      JSON.stringify({ name: 'N', subjects: ['n.>'] }),
    )
    assert.equal('domain' in created.json<object>(), false)
    for await (const message of advisories) {
      assert.equal(message.json<{ domain: string }>().domain, 'hub')
    }
    const info = await client.request('$JS.API.STREAM.INFO.N')
    assert.equal(info.json<{ domain: string }>().domain, 'hub')
    assert.equal((await jetstream(client).publish('n.1')).domain, 'hub')
  })

  it('answers who names it as who names none', async () => {
    const manager = await jetstreamManager(client, { domain: 'hub' })
    await manager.streams.add({ name: 'S', subjects: ['s.>'], allow_direct: true })
    await manager.consumers.add('S', { durable_name: 'D', ack_policy: 'explicit' })
    const named = jetstream(client, { domain: 'hub' })
    assert.equal((await named.publish('s.1', 'hello')).seq, 1)
    const consumer = await named.consumers.get('S', 'D')
    const message = await consumer.next({ expires: 5000 })
    assert.equal(message?.string(), 'hello')
    assert.equal(await message?.ackAck(), true)
    const kept = await manager.direct.getMessage('S', { last_by_subj: 's.1' })
    assert.equal(kept?.string(), 'hello')
    const plain = await jetstreamManager(client)
    assert.equal((await plain.consumers.info('S', 'D')).ack_floor.stream_seq, 1)
  })

  it('keeps buckets of who names it', async () => {
    const bucket = await new Kvm(jetstream(client, { domain: 'hub' })).create('B')
    await bucket.put('key', 'value')
    const same = await new Kvm(jetstream(client)).open('B')
    assert.equal((await same.get('key'))?.string(), 'value')
  })

  it('is the only one that answers', async () => {
    await assert.rejects(client.request('$JS.other.API.INFO'), /no responders/)
  })

  it('tells accounts without JetStream so', async () => {
    const other = await connect({ servers: `127.0.0.1:${port}`, user: 'b', pass: 'b' })
    const answer = await other.request('$JS.hub.API.STREAM.NAMES')
    assert.equal(answer.json<{ error: { err_code: number } }>().error.err_code, 10039)
    await other.close()
  })
})
