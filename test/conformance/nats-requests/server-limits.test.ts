import assert from 'node:assert/strict'
import { it } from 'node:test'
import { connect, jwtAuthenticator } from '@nats-io/transport-node'
import { answersTo, type Request } from './conversation.ts'
import { NO_LIMITS, operatorConfiguration, SignedAccount } from './operator.ts'
import { onConfiguration, startOn } from './with-configuration.ts'

/** Requests of the users of two accounts. */
type Step = readonly [account: 'A' | 'B', ...request: Request]

const STREAM = '$JS.API.STREAM'

const create = (account: 'A' | 'B', name: string, more: object): Step => [
  account,
  `${STREAM}.CREATE.${name}`,
  {},
  { name, subjects: [`${name}.>`], ...more },
]

const update = (account: 'A' | 'B', name: string, more: object): Step => [
  account,
  `${STREAM}.UPDATE.${name}`,
  {},
  { name, subjects: [`${name}.>`], ...more },
]

const publish = (account: 'A' | 'B', subject: string, byteCount: number, headers = {}): Step => [
  account,
  subject,
  headers,
  'x'.repeat(byteCount),
]

function configuration(limits: string, account = 'jetstream: enabled'): string {
  return `jetstream { ${limits} }
  accounts {
    A { ${account}, users: [{ user: A, password: A }] }
    B { ${account}, users: [{ user: B, password: B }] }
  }`
}

async function answersOf(config: string, steps: readonly Step[]) {
  return await onConfiguration(config, async ({ nats }) => {
    const servers = { servers: nats, reconnect: false }
    const a = await connect({ ...servers, user: 'A', pass: 'A' })
    const b = await connect({ ...servers, user: 'B', pass: 'B' })
    const answers: string[] = []
    try {
      for (const [account, ...request] of steps) {
        const [answer = ''] = await answersTo(account === 'A' ? a : b, [request])
        answers.push(`${account} ${answer.replace(/x{9,}/, 'xxx')}`)
      }
    } finally {
      await a.close()
      await b.close()
    }
    return answers
  })
}

it('streams of all accounts reserve no more together than the server has', async () => {
  const memory = { storage: 'memory' }
  const { ours, theirs } = await answersOf(configuration('max_mem: 100000, max_file: 1000000'), [
    create('A', 'S', { max_bytes: 1_000_001 }),
    create('A', 'S', { max_bytes: 600_000 }),
    create('A', 'S', { max_bytes: 600_000 }),
    create('B', 'T', { max_bytes: 400_001 }),
    create('B', 'T', { max_bytes: 400_000 }),
    create('B', 'U', {}),
    create('B', 'U', { max_bytes: 1 }),
    create('A', 'M', { ...memory, max_bytes: 100_001 }),
    create('A', 'M', { ...memory, max_bytes: 99_999 }),
    create('B', 'N', { ...memory, max_bytes: 2 }),
    create('B', 'N', memory),
    create('B', 'O', { ...memory, max_bytes: 1 }),
    create('B', 'P', memory),
    update('B', 'O', { ...memory, max_bytes: 2 }),
    update('B', 'T', { max_bytes: 400_001 }),
    update('B', 'T', { max_bytes: 300_000 }),
    create('A', 'U', { max_bytes: 100_001 }),
    create('A', 'U', { max_bytes: 50_000 }),
    update('B', 'T', { max_bytes: 350_001 }),
    update('B', 'T', { max_bytes: 350_000 }),
    update('B', 'T', { max_bytes: -1 }),
    create('A', 'V', { max_bytes: 350_000 }),
    ['A', `${STREAM}.DELETE.S`],
    create('B', 'W', { max_bytes: 600_000 }),
    create('B', 'X', {}),
  ])
  assert.deepEqual(ours, theirs)
})

it('streams take no messages while those of all accounts hold more than the server has', async () => {
  const memory = { storage: 'memory' }
  const many = (account: 'A' | 'B', subject: string, count: number, byteCount: number): Step[] =>
    Array.from({ length: count }, () => publish(account, subject, byteCount))
  const { ours, theirs } = await answersOf(configuration('max_mem: 100000, max_file: 1000000'), [
    create('A', 'S', {}),
    create('B', 'T', {}),
    create('A', 'M', memory),
    create('B', 'N', { ...memory, allow_atomic: true, allow_batched: true }),
    ...many('A', 'S.a', 5, 150_000),
    ...many('B', 'T.a', 3, 150_000),
    publish('A', 'S.a', 0),
    publish('A', 'S.a', 0, { 'Nats-Expected-Last-Sequence': '5' }),
    publish('B', 'N.a', 10),
    ...many('A', 'M.a', 5, 15_000),
    ...many('B', 'N.a', 3, 15_000),
    publish('A', 'M.a', 0),
    publish('B', 'N.a', 0, { 'Nats-Batch-Id': 'b', 'Nats-Batch-Sequence': '1' }),
    ['B', `${STREAM}.PURGE.T`],
    ...many('A', 'S.a', 3, 150_000),
    publish('B', 'T.a', 0),
    ['A', `${STREAM}.DELETE.M`],
    publish('B', 'N.a', 0),
  ])
  assert.deepEqual(ours, theirs)
})

it('a server without memory for streams takes none there', async () => {
  const { ours, theirs } = await answersOf(configuration('max_mem: 0, max_file: "1M"'), [
    create('A', 'M', { storage: 'memory' }),
    create('A', 'M', { storage: 'memory', max_bytes: 1 }),
    create('A', 'S', { max_bytes: 1024 * 1024 + 1 }),
    create('A', 'S', { max_bytes: 1024 * 1024 }),
  ])
  assert.deepEqual(ours, theirs)
})

it('limits of an account hold beside those of the server', async () => {
  const limits = 'jetstream { max_mem: 1000, max_store: 100000 }'
  const { ours, theirs } = await answersOf(
    configuration('max_mem: 100000, max_file: 1000000', limits),
    [
      create('A', 'M', { storage: 'memory', max_bytes: 1001 }),
      create('A', 'M', { storage: 'memory', max_bytes: 1000 }),
      create('A', 'N', { storage: 'memory' }),
      create('A', 'S', {}),
      publish('A', 'S.a', 99_000),
      publish('A', 'S.a', 99_000),
      create('B', 'T', { max_bytes: 100_001 }),
      create('B', 'T', { max_bytes: 100_000 }),
      update('B', 'T', { max_bytes: 100_001 }),
    ],
  )
  assert.deepEqual(ours, theirs)
})

it('accounts of a configuration that are promised more than there is keep the server from starting', async () => {
  const promise = (memory: number, storage: number): string =>
    configuration(
      'max_mem: 1000, max_file: 1000',
      `jetstream { max_mem: ${memory}, max_store: ${storage} }`,
    )
  for (const [memory, storage, outcome] of [
    [500, 500, 'ready'],
    [501, 0, 'insufficient memory resources available'],
    [0, 501, 'insufficient storage resources available'],
  ] as const) {
    const { ours, theirs } = await startOn(promise(memory, storage))
    assert.ok(theirs.includes(outcome), theirs)
    assert.ok(ours.includes(outcome), ours)
  }
})

it('an account of an operator that is promised more than there is has no streams', async () => {
  const [fits, tooMuch, fitsToo] = [new SignedAccount(), new SignedAccount(), new SignedAccount()]
  const storage = (bytes: number) => ({
    limits: { ...NO_LIMITS, disk_storage: bytes, mem_storage: 0 },
  })
  const config = `jetstream { max_mem: 1000, max_file: 1000 }
  ${operatorConfiguration([
    [fits, storage(600)],
    [tooMuch, storage(500)],
    [fitsToo, storage(400)],
  ])}`
  const { ours, theirs } = await onConfiguration(config, async ({ nats }) => {
    const answers: string[] = []
    for (const account of [fits, tooMuch, fitsToo]) {
      const authenticator = jwtAuthenticator(account.bearer({}))
      const connection = await connect({ servers: nats, reconnect: false, authenticator })
      const answer = await connection.request('$JS.API.STREAM.NAMES', '').then(
        ({ data }) => data.toString(),
        (error: Error) => error.message,
      )
      answers.push(answer)
      await connection.close()
    }
    return answers
  })
  assert.deepEqual(ours, theirs)
})
