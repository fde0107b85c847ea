import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { Kafka, logLevel } from 'kafkajs'

const BIN = new URL('../../bin/spool.mjs', import.meta.url).pathname

interface Server {
  readonly child: ChildProcess
  readonly bootstrap: string
  /** Everything it printed on its standard error. */
  readonly errors: () => string
}

const children = new Set<ChildProcess>()
const directories: string[] = []

after(() => {
  for (const child of children) child.kill('SIGKILL')
  for (const directory of directories) rmSync(directory, { recursive: true, force: true })
})

function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'spool-e2e-'))
  directories.push(directory)
  return directory
}

function spawnSpool(args: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, [BIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  children.add(child)
  child.once('exit', () => children.delete(child))
  return child
}

function serve(directory: string): Promise<Server> {
  const args = [
    'serve',
    '--data-dir',
    directory,
    '--kafka',
    '127.0.0.1:0',
    '--no-nats',
    '--no-http',
  ]
  const child = spawnSpool(args)
  let output = ''
  let errors = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    errors += chunk.toString()
  })
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`spool ended with ${code}: ${errors}`)))
    child.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString()
      const bootstrap = /^kafka (\S+)$/m.exec(output)?.[1]
      if (bootstrap !== undefined && /^ready/m.test(output)) {
        resolve({ child, bootstrap, errors: () => errors })
      }
    })
  })
}

function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null) return Promise.resolve(child.exitCode)
  return new Promise((resolve) => child.once('exit', (code) => resolve(code)))
}

async function stop({ child }: Server): Promise<number | null> {
  const code = ended(child)
  child.kill('SIGTERM')
  return await code
}

function clientOf({ bootstrap }: Server): Kafka {
  return new Kafka({
    brokers: [bootstrap],
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 50 },
  })
}

async function produceNumbers(server: Server, topic: string, from: number, count: number) {
  const producer = clientOf(server).producer({ idempotent: true })
  await producer.connect()
  const numbers = Array.from({ length: count }, (_, index) => String(from + index))
  await producer.send({ topic, acks: -1, messages: numbers.map((value) => ({ key: 'k', value })) })
  await producer.disconnect()
  return numbers
}

async function consumeAll(server: Server, topic: string, groupId: string, count: number) {
  const consumer = clientOf(server).consumer({ groupId })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  const values: string[] = []
  await new Promise<void>((resolve, reject) => {
    consumer
      .run({
        eachMessage: async ({ message }) => {
          values.push(message.value?.toString() ?? '')
          if (values.length === count) resolve()
        },
      })
      .catch(reject)
  })
  await consumer.disconnect()
  return values
}

describe('spool serve with kafkajs', () => {
  it('produces, consumes in a group, and keeps all of it over a clean stop', async () => {
    const directory = newDirectory()
    const first = await serve(directory)
    const sent = await produceNumbers(first, 'orders', 0, 100)
    assert.deepEqual(await consumeAll(first, 'orders', 'g', 100), sent)
    assert.equal(await stop(first), 0)

    const second = await serve(directory)
    const admin = clientOf(second).admin()
    await admin.connect()
    const offsets = await admin.fetchOffsets({ groupId: 'g', topics: ['orders'] })
    assert.equal(offsets[0]?.partitions[0]?.offset, '100')
    await admin.disconnect()
    assert.deepEqual(await consumeAll(second, 'orders', 'other', 100), sent)
    assert.equal(await stop(second), 0)
  })

  it('keeps every acknowledged record over kill -9', async () => {
    const directory = newDirectory()
    const first = await serve(directory)
    const sent = await produceNumbers(first, 'orders', 0, 50)
    const killed = ended(first.child)
    first.child.kill('SIGKILL')
    await killed
    const second = await serve(directory)
    const more = await produceNumbers(second, 'orders', 50, 50)
    assert.deepEqual(await consumeAll(second, 'orders', 'g', 100), [...sent, ...more])
    assert.equal(await stop(second), 0)
  })

  it('refuses a data directory that another process uses, and says which', async () => {
    const directory = newDirectory()
    const first = await serve(directory)
    const args = ['serve', '--data-dir', directory, '--kafka', '127.0.0.1:0', '--no-http']
    const second = spawnSpool(args)
    let errors = ''
    second.stderr?.on('data', (chunk: Buffer) => {
      errors += chunk.toString()
    })
    assert.notEqual(await ended(second), 0)
    assert.match(errors, new RegExp(`in use by .*${first.child.pid}`))
    assert.equal(await stop(first), 0)
  })

  it('refuses an unknown setting with the nearest name', async () => {
    const child = spawnSpool(['serve', '--data-dir', newDirectory(), '--set', 'num.partition=3'])
    let errors = ''
    child.stderr?.on('data', (chunk: Buffer) => {
      errors += chunk.toString()
    })
    assert.notEqual(await ended(child), 0)
    assert.match(errors, /num\.partitions/)
  })
})
