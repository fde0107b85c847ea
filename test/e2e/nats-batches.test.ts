import assert from 'node:assert/strict'
import { after, it } from 'node:test'
import { jetstreamManager } from '@nats-io/jetstream'
import { connect, headers, type NatsConnection } from '@nats-io/transport-node'
import { cleanUp, endOf, newDirectory, spawnSpool } from './spool-process.ts'

after(cleanUp)

const MESSAGES_PER_BATCH = 20
const OPEN_BATCHES = 8
const ACKNOWLEDGED_BEFORE_KILL = 50
const CREATE = '$JS.API.STREAM.CREATE.BATCHES'

interface Running {
  readonly servers: string
  kill(): Promise<void>
}

async function start(directory: string): Promise<Running> {
  const addresses = ['--kafka', '127.0.0.1:0', '--nats', '127.0.0.1:0', '--no-http']
  const child = spawnSpool(['serve', '--data-dir', directory, ...addresses])
  let output = ''
  for await (const chunk of child.stdout ?? []) {
    output += String(chunk)
    if (/^ready/m.test(output)) break
  }
  const kill = async () => {
    const ended = endOf(child)
    child.kill('SIGKILL')
    await ended
  }
  return { servers: /^nats (\S+)$/m.exec(output)?.[1] ?? '', kill }
}

/** Publishes a batch; the last message is a request. Resolves to whether the server acknowledged it. */
async function publishBatch(client: NatsConnection, id: string): Promise<boolean> {
  for (let seq = 1; seq <= MESSAGES_PER_BATCH; seq++) {
    const fields = headers()
    fields.set('Nats-Batch-Id', id)
    fields.set('Nats-Batch-Sequence', String(seq))
    const body = `${id} ${seq}`
    if (seq < MESSAGES_PER_BATCH) client.publish('batches', body, { headers: fields })
    else {
      fields.set('Nats-Batch-Commit', '1')
      const answer = await client.request('batches', body, { headers: fields, timeout: 10_000 })
      assert.equal(answer.json<{ count: number }>().count, MESSAGES_PER_BATCH)
    }
  }
  return true
}

/** Publishes batches, several at a time, and kills the server meanwhile. Returns those acknowledged. */
async function publishUntilKilled(running: Running, run: number): Promise<string[]> {
  const client = await connect({ servers: running.servers, reconnect: false })
  const config = { name: 'BATCHES', subjects: ['batches'], allow_atomic: true }
  await client.request(CREATE, JSON.stringify(config))
  const acknowledged: string[] = []
  let isKilled = false
  let killed = Promise.resolve()
  const publisher = async (which: number) => {
    for (let i = 0; !isKilled; i++) {
      const id = `${run}-${which}-${i}`
      if (!(await publishBatch(client, id).catch(() => false))) return
      acknowledged.push(id)
      if (acknowledged.length !== ACKNOWLEDGED_BEFORE_KILL) continue
      isKilled = true
      killed = running.kill()
    }
  }
  await Promise.all(Array.from({ length: OPEN_BATCHES }, (_, which) => publisher(which)))
  await killed
  await client.close()
  return acknowledged
}

it('atomic batches are there as a whole or not at all after kill -9 (ADR-50)', async () => {
  const directory = newDirectory()
  const acknowledged: string[] = []
  for (let run = 1; run <= 3; run++) {
    acknowledged.push(...(await publishUntilKilled(await start(directory), run)))
  }
  const running = await start(directory)
  const client = await connect({ servers: running.servers, reconnect: false })
  const manager = await jetstreamManager(client)
  const { state } = await manager.streams.info('BATCHES')
  assert.equal(state.messages, state.last_seq)
  const whole: string[] = []
  for (let seq = 1; seq <= state.last_seq; seq += MESSAGES_PER_BATCH) {
    const first = await manager.streams.getMessage('BATCHES', { seq })
    const id = first?.string().split(' ')[0] ?? ''
    whole.push(id)
    for (let at = 0; at < MESSAGES_PER_BATCH; at++) {
      const message = await manager.streams.getMessage('BATCHES', { seq: seq + at })
      assert.equal(message?.string(), `${id} ${at + 1}`)
    }
  }
  for (const id of acknowledged) assert.ok(whole.includes(id), `${id} was acknowledged`)
  assert.equal(new Set(whole).size, whole.length)
  await client.close()
  await running.kill()
})
