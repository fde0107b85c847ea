import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { jetstreamManager } from '@nats-io/jetstream'
import { connect, type Msg, type NatsConnection, TimeoutError } from '@nats-io/transport-node'
import { cleanUp, newDirectory, spawnSpool } from './spool-process.ts'

let connection: NatsConnection

before(async () => {
  const addresses = ['--kafka', '127.0.0.1:0', '--nats', '127.0.0.1:0', '--no-http']
  const child = spawnSpool(['serve', '--data-dir', newDirectory(), ...addresses])
  let output = ''
  for await (const chunk of child.stdout ?? []) {
    output += String(chunk)
    if (/^ready/m.test(output)) break
  }
  const servers = /^nats (\S+)$/m.exec(output)?.[1] ?? ''
  connection = await connect({ servers, reconnect: false, name: 'tester' })
})

after(async () => {
  await connection.close()
  await cleanUp()
})

interface Trace {
  readonly server: { readonly name?: string; readonly ver?: string; readonly jetstream?: boolean }
  readonly request: { readonly header: Readonly<Record<string, string[]>> }
  readonly events: readonly Readonly<Record<string, unknown>>[]
}

/** Traces that come to a subject, as many as are asked for. */
async function tracesAt(subject: string, count: number, work: () => Promise<unknown>) {
  const subscription = connection.subscribe(subject, { max: count })
  await work()
  const traces: Trace[] = []
  for await (const message of subscription) traces.push(message.json<Trace>())
  return traces
}

const typesOf = ({ events }: Trace): unknown[] => events.map(({ type }) => type)

describe('nats.js traces', () => {
  it('a message that is delivered and one that is not', async () => {
    const got: Msg[] = []
    connection.subscribe('foo', { callback: (_, message) => void got.push(message) })
    const traces = await tracesAt('traces.1', 2, async () => {
      connection.publish('foo', 'x', { traceDestination: 'traces.1' })
      connection.publish('foo', 'y', { traceDestination: 'traces.1', traceOnly: true })
      await connection.flush()
    })
    assert.deepEqual(
      got.map((message) => message.string()),
      ['x'],
    )
    assert.deepEqual(traces.map(typesOf), [
      ['in', 'eg'],
      ['in', 'eg'],
    ])
    const [first] = traces
    assert.equal(first?.server.jetstream, true)
    assert.deepEqual(first?.request.header['Nats-Trace-Dest'], ['traces.1'])
    assert.equal(first?.events[1]?.['name'], 'tester')
  })

  it('a request, whose answer it gets, unless it is only traced', async () => {
    connection.subscribe('ask', { callback: (_, message) => void message.respond('yes') })
    const options = { timeout: 500, traceDestination: 'traces.2' }
    const traces = await tracesAt('traces.2', 2, async () => {
      assert.equal((await connection.request('ask', '', options)).string(), 'yes')
      await assert.rejects(
        connection.request('ask', '', { ...options, traceOnly: true }),
        TimeoutError,
      )
    })
    assert.deepEqual(traces.map(typesOf), [
      ['in', 'eg'],
      ['in', 'eg'],
    ])
  })

  it('a message into a stream, which keeps no word of the trace', async () => {
    const manager = await jetstreamManager(connection)
    await manager.streams.add({ name: 'parcels', subjects: ['parcels.>'] })
    const traces = await tracesAt('traces.3', 2, async () => {
      await connection.request('parcels.eu', 'x', { timeout: 5000, traceDestination: 'traces.3' })
      connection.publish('parcels.eu', 'y', { traceDestination: 'traces.3', traceOnly: true })
    })
    for (const { events } of traces) {
      const [, { ts: _, ...step } = {}] = events
      assert.deepEqual(step, { type: 'js', stream: 'parcels', subject: 'parcels.eu' })
    }
    const { state } = await manager.streams.info('parcels')
    assert.equal(state.messages, 1)
    const stored = await manager.streams.getMessage('parcels', { seq: 1 })
    assert.equal(stored?.header.get('Nats-Trace-Dest'), 'trace disabled')
  })
})
