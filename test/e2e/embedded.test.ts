import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { describe, it } from 'node:test'
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
})
