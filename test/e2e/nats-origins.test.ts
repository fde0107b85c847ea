import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import {
  AckPolicy,
  type JetStreamClient,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
  RetentionPolicy,
  type StreamConfig,
  type StreamInfo,
} from '@nats-io/jetstream'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import { cleanUp, endOf, newDirectory, spawnSpool } from './spool-process.ts'

after(cleanUp)

async function start(directory: string) {
  const addresses = ['--kafka', '127.0.0.1:0', '--nats', '127.0.0.1:0', '--no-http']
  const child = spawnSpool(['serve', '--data-dir', directory, ...addresses])
  let output = ''
  for await (const chunk of child.stdout ?? []) {
    output += String(chunk)
    if (/^ready/m.test(output)) break
  }
  return { child, servers: /^nats (\S+)$/m.exec(output)?.[1] ?? '' }
}

interface Clients {
  readonly nc: NatsConnection
  readonly js: JetStreamClient
  readonly jsm: JetStreamManager
}

async function client(servers: string): Promise<Clients> {
  const nc = await connect({ servers, reconnect: false })
  return { nc, js: jetstream(nc), jsm: await jetstreamManager(nc) }
}

let shared: Promise<{ servers: string }> | null = null

/** One broker for all tests that do not kill it. */
async function withClient(test: (clients: Clients) => Promise<void>): Promise<void> {
  shared ??= start(newDirectory())
  const clients = await client((await shared).servers)
  try {
    await test(clients)
  } finally {
    await clients.nc.close()
  }
}

/** Asks for a stream until it is as it should be. */
async function until(
  { jsm }: Clients,
  name: string,
  isReached: (info: StreamInfo) => boolean,
): Promise<StreamInfo> {
  for (;;) {
    const info = await jsm.streams.info(name, { deleted_details: true })
    if (isReached(info)) return info
  }
}

const reaches = (sequence: number) => (info: StreamInfo) => info.state.last_seq >= sequence

async function add({ jsm }: Clients, config: Partial<StreamConfig> & { name: string }) {
  return jsm.streams.add(config)
}

/** What each message of a stream says, with the header that names its origin. */
async function contents(
  { jsm }: Clients,
  name: string,
): Promise<{ seq: number; text: string; subject: string; source: string }[]> {
  const { state } = await jsm.streams.info(name)
  const found = []
  for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
    const message = await jsm.streams.getMessage(name, { seq })
    if (message === null) continue
    const source = message.header.get('Nats-Stream-Source')
    found.push({ seq, text: message.string(), subject: message.subject, source })
  }
  return found
}

describe('a mirror', () => {
  it('has the sequences and times of its origin, and its gaps', () =>
    withClient(async (clients) => {
      const { js, jsm } = clients
      await add(clients, { name: 'MO', subjects: ['mo.>'] })
      for (let i = 1; i <= 6; i++) await js.publish(`mo.${i % 2}`, `${i}`)
      await jsm.streams.deleteMessage('MO', 3)
      await add(clients, { name: 'MM', mirror: { name: 'MO' } })
      const isCopied = ({ state: { last_seq }, mirror: of }: StreamInfo) =>
        last_seq === 6 && of?.lag === 0
      const { state, mirror } = await until(clients, 'MM', isCopied)
      assert.deepEqual([state.messages, state.first_seq, state.deleted], [5, 1, [3]])
      assert.deepEqual([mirror?.name, mirror?.active], ['MO', 0])
      await js.publish('mo.x', '7')
      await until(clients, 'MM', reaches(7))
      const there = await contents(clients, 'MM')
      assert.deepEqual(
        there.map(({ text }) => text),
        ['1', '2', '4', '5', '6', '7'],
      )
      assert.ok(there.every(({ seq, text, source }) => `${seq}` === text && source === ''))
      const [ours, its] = [
        await jsm.streams.getMessage('MM', { seq: 5 }),
        await jsm.streams.getMessage('MO', { seq: 5 }),
      ]
      assert.equal(ours?.time.getTime(), its?.time.getTime())
    }))

  it('begins where it is told, and takes what passes its filter', () =>
    withClient(async (clients) => {
      const { js } = clients
      await add(clients, { name: 'FO', subjects: ['fo.>'] })
      for (let i = 1; i <= 9; i++) await js.publish(`fo.${i % 2}`, `${i}`)
      await add(clients, {
        name: 'FM',
        mirror: { name: 'FO', opt_start_seq: 4, filter_subject: 'fo.1' },
      })
      const { state } = await until(clients, 'FM', reaches(9))
      assert.deepEqual([state.first_seq, state.messages, state.num_deleted], [5, 3, 2])
    }))

  it('waits for an origin that is not there, takes no change, and no messages of clients', () =>
    withClient(async (clients) => {
      const { js, jsm } = clients
      const made = await add(clients, { name: 'WM', mirror: { name: 'WO' } })
      assert.equal(made.mirror?.active, -1)
      await assert.rejects(clients.nc.request('WM', 'x'), /no responders/i)
      const changed = { mirror: { name: 'WO', filter_subject: 'a' } }
      await assert.rejects(jsm.streams.update('WM', changed as never), /can not be updated/)
      await add(clients, { name: 'WO', subjects: ['wo'] })
      await js.publish('wo', 'first')
      const { state } = await until(clients, 'WM', reaches(1))
      assert.equal(state.messages, 1)
    }))
})

describe('sources', () => {
  it('are merged, with changed subjects and the header that says where they are from', () =>
    withClient(async (clients) => {
      const { js } = clients
      await add(clients, { name: 'SA', subjects: ['sa.>'] })
      await add(clients, { name: 'SB', subjects: ['sb.>'] })
      await js.publish('sa.1', 'a1')
      await js.publish('sb.1', 'b1')
      await js.publish('sb.2', 'b2')
      await add(clients, {
        name: 'SS',
        subjects: ['own'],
        sources: [
          { name: 'SA' },
          { name: 'SB', subject_transforms: [{ src: 'sb.2', dest: 'from.b' }] },
        ],
      })
      await until(clients, 'SS', reaches(2))
      await js.publish('own', 'o')
      const there = await contents(clients, 'SS')
      const plain = there.map(({ text, subject, source }) =>
        [text, subject, ...source.split(' ').slice(0, 5)].join(' '),
      )
      assert.deepEqual(plain.sort(), [
        'a1 sa.1 SA 1 > > sa.1',
        'b2 from.b SB 2 sb.2 from.b sb.2',
        'o own ',
      ])
      const isCopied = ({ sources = [] }: StreamInfo) => sources.every(({ lag }) => lag === 0)
      const { sources } = await until(clients, 'SS', isCopied)
      assert.deepEqual(
        sources?.map(({ name }) => name),
        ['SA', 'SB'],
      )
    }))

  it('come and go with the configuration, each from where it was', () =>
    withClient(async (clients) => {
      const { js, jsm } = clients
      await add(clients, { name: 'UA', subjects: ['ua'] })
      await add(clients, { name: 'US', sources: [{ name: 'UA' }] })
      await js.publish('ua', '1')
      await until(clients, 'US', reaches(1))
      await jsm.streams.update('US', { sources: [], subjects: ['us'] })
      await js.publish('ua', '2')
      await jsm.streams.update('US', { sources: [{ name: 'UA' }], subjects: ['us'] })
      await until(clients, 'US', reaches(2))
      const there = await contents(clients, 'US')
      assert.deepEqual(
        there.map(({ text }) => text),
        ['1', '2'],
      )
      await assert.rejects(
        jsm.streams.update('UA', { sources: [{ name: 'US' }] }),
        /detected cycle/,
      )
    }))
})

describe('sources of streams with limits and of work queues', () => {
  it('wait until there is room, and lose nothing', () =>
    withClient(async (clients) => {
      const { js, jsm } = clients
      await add(clients, { name: 'RO', subjects: ['ro'] })
      for (let i = 1; i <= 5; i++) await js.publish('ro', `${i}`)
      const limits = { max_msgs: 2, discard: 'new' as never }
      await add(clients, { name: 'RS', sources: [{ name: 'RO' }], ...limits })
      await until(clients, 'RS', ({ state, sources }) => state.messages + lagOf(sources) === 5)
      assert.equal((await until(clients, 'RS', reaches(2))).state.last_seq, 2)
      await jsm.streams.purge('RS')
      await until(clients, 'RS', reaches(4))
      const there = await contents(clients, 'RS')
      assert.deepEqual(
        there.map(({ text }) => text),
        ['3', '4'],
      )
    }))

  it('take the messages out of a work queue', () =>
    withClient(async (clients) => {
      const { js } = clients
      const retention = RetentionPolicy.Workqueue
      await add(clients, { name: 'QO', subjects: ['qo.>'], retention })
      for (const token of ['a', 'b', 'a']) await js.publish(`qo.${token}`, token)
      await add(clients, { name: 'QS', sources: [{ name: 'QO', filter_subject: 'qo.a' }] })
      await until(clients, 'QS', reaches(2))
      const { state } = await until(clients, 'QO', (info) => info.state.messages === 1)
      assert.equal(state.first_seq, 2)
    }))
})

describe('after kill -9', () => {
  it('each message of the origins is there once, in mirrors and sources', async () => {
    const directory = newDirectory()
    const count = 3000
    const sent = new Set<string>()
    for (let round = 0; round < 3; round++) {
      const { child, servers } = await start(directory)
      const clients = await client(servers)
      const { js, jsm } = clients
      if (round === 0) {
        await add(clients, { name: 'O', subjects: ['o.>'] })
        await add(clients, { name: 'M', mirror: { name: 'O' } })
        await add(clients, { name: 'S', sources: [{ name: 'O' }] })
        await add(clients, { name: 'G', mirror: { name: 'O', filter_subject: 'o.g' } })
        await add(clients, { name: 'P', sources: [{ name: 'O' }] })
      } else {
        // What is purged stays copied.
        const before = await until(clients, 'P', ({ sources }) => sources?.[0]?.lag === 0)
        await jsm.streams.purge('P', { seq: before.state.last_seq + 1 })
      }
      const ended = endOf(child)
      const publishing: Promise<unknown>[] = []
      for (let i = 0; i < count; i++) {
        const text = `${round}-${i}`
        const ack = js.publish(i % 10 === 0 ? 'o.g' : 'o.x', text, { timeout: 30_000 })
        publishing.push(
          ack.then(
            () => sent.add(text),
            () => null,
          ),
        )
        if (i % 500 === 499) await publishing[i - 400]
      }
      child.kill('SIGKILL')
      await ended
      await nothingLeft(publishing)
      await clients.nc.closed()
    }
    const { child, servers } = await start(directory)
    const clients = await client(servers)
    const origin = await clients.jsm.streams.info('O')
    const last = origin.state.last_seq
    const sources = (name: string) =>
      until(clients, name, (info) => info.sources?.[0]?.lag === 0 && info.state.last_seq >= last)
    const mirror = await until(clients, 'M', reaches(last))
    assert.deepEqual([mirror.state.messages, mirror.state.last_seq], [last, last])
    assert.equal((await sources('S')).state.last_seq, last)
    assert.equal((await sources('P')).state.last_seq, last)
    const texts = await textsOf(clients, 'O')
    for (const text of sent) assert.ok(texts.includes(text), `${text} was answered`)
    assert.deepEqual(await textsOf(clients, 'M'), texts)
    assert.deepEqual(await textsOf(clients, 'S'), texts)
    const its = await sequencesOf(clients, 'O', 'o.g')
    await until(clients, 'G', ({ state }) => state.messages === its.length)
    assert.deepEqual(await sequencesOf(clients, 'G', 'o.g'), its)
    await clients.nc.close()
    child.kill('SIGTERM')
    await endOf(child)
  })
})

const lagOf = (sources: StreamInfo['sources']): number => sources?.[0]?.lag ?? 0

/** Nobody waits for these any more: the connection is gone. */
async function nothingLeft(publishing: readonly Promise<unknown>[]): Promise<void> {
  await Promise.all(publishing)
}

async function textsOf({ js, jsm }: Clients, name: string): Promise<string[]> {
  const { state } = await jsm.streams.info(name)
  await jsm.consumers.add(name, { durable_name: 'all', ack_policy: AckPolicy.None })
  const consumer = await js.consumers.get(name, 'all')
  const texts: string[] = []
  for await (const message of await consumer.consume()) {
    texts.push(message.string())
    if (texts.length === state.messages) break
  }
  return texts
}

async function sequencesOf({ js, jsm }: Clients, name: string, subject: string): Promise<number[]> {
  const config = { durable_name: 'some', ack_policy: AckPolicy.None, filter_subject: subject }
  const { num_pending: count } = await jsm.consumers.add(name, config)
  const consumer = await js.consumers.get(name, 'some')
  const sequences: number[] = []
  for await (const message of await consumer.consume()) {
    if (sequences.push(message.seq) === count) break
  }
  return sequences
}
