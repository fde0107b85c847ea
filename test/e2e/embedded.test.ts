import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { describe, it } from 'node:test'
import { connect } from '@nats-io/transport-node'
import { Broker } from '../../src/index.ts'
import { ended } from './spool-process.ts'

const ROOT = new URL('../..', import.meta.url).pathname

/** A program as its user writes it: nothing but the broker and its clients keep it running. */
const PROGRAM = `
  import kafkajs from 'kafkajs'
  import { Broker } from './src/index.ts'
  const broker = await Broker.start()
  const producer = new kafkajs.Kafka({ brokers: [broker.bootstrap], logLevel: 0 }).producer()
  await producer.connect()
  await producer.send({ topic: 'orders', messages: [{ value: '1' }] })
  if (process.env['LEAVE'] === 'first') await producer.disconnect()
  await broker.stop()
  console.log('stopped')
  await producer.disconnect()
`

describe('a program with a broker inside', () => {
  for (const leave of ['first', 'last']) {
    it(`comes to its end when its client leaves ${leave}`, async () => {
      const args = ['--no-warnings', '--input-type=module', '--eval', PROGRAM]
      const env = { ...process.env, LEAVE: leave }
      const child = spawn(process.execPath, args, { cwd: ROOT, env, stdio: 'pipe' })
      const { code, stdout, stderr } = await ended(child)
      assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: 'stopped\n', stderr: '' })
    })
  }

  it('serves NATS clients too, with the limits that its configs say', async () => {
    await using broker = await Broker.start({
      natsPort: 0,
      config: { 'spool.nats.max.payload.bytes': '5000' },
    })
    const client = await connect({ servers: broker.natsUrl ?? '', reconnect: false })
    const subscription = client.subscribe('a', { max: 1 })
    client.publish('a', 'hello')
    for await (const message of subscription) assert.equal(message.string(), 'hello')
    assert.equal(client.info?.max_payload, 5000)
    await client.close()
  })
})
