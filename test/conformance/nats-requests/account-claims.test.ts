import assert from 'node:assert/strict'
import { it } from 'node:test'
import { connect, jwtAuthenticator, type NatsConnection } from '@nats-io/transport-node'
import { operatorConfiguration, SignedAccount } from './operator.ts'
import { onConfiguration } from './with-configuration.ts'

const exporter = new SignedAccount()
const signer = new SignedAccount()
const stranger = new SignedAccount()

const NOW = Math.floor(Date.now() / 1000)

/** What accounts sign for one that imports something private of them. */
class Activations {
  readonly #importer: SignedAccount

  constructor(importer: SignedAccount) {
    this.#importer = importer
  }

  of(kind: string, subject: string, nats: object = {}, claims: object = {}): string {
    return this.by(exporter, { kind, subject, ...nats }, claims)
  }

  by(account: SignedAccount, nats: object, claims: object = {}): string {
    const body = { subject: 'private.s', kind: 'service', type: 'activation', version: 2, ...nats }
    return account.sign({ sub: this.#importer.key, nats: body, ...claims })
  }
}

const service = (subject: string, more: object = {}) => ({ subject, type: 'service', ...more })
const stream = (subject: string, more: object = {}) => ({ subject, type: 'stream', ...more })
const from = (account: string, share: object) => ({ account, ...share })

const EXPORTS = [
  service('open.*', { response_type: 'Singleton' }),
  service('two.*.*.b'),
  service('many.>', { response_type: 'Stream' }),
  service('parts', { response_type: 'Chunked', service_latency: { sampling: 100, results: 'l' } }),
  service('private.s', { token_req: true }),
  service('revoked.s', { token_req: true, revocations: { '*': NOW } }),
  service('of.*.s', { account_token_position: 2 }),
  stream('news.>'),
  stream('for.*.a', { account_token_position: 2 }),
  stream('secret.>', { token_req: true }),
]

/** What one import of a kind gives: what comes of asking, or of listening, in the account that has it. */
interface Probe {
  readonly imported: object
  /** A request to it, or what the exporter publishes while somebody listens to all. */
  readonly ask?: string
  readonly publish?: readonly string[]
}

const { key } = exporter

function probesOf(importer: SignedAccount): readonly Probe[] {
  const activations = new Activations(importer)
  return [
    { imported: from(key, service('open.a')), ask: 'open.a' },
    { imported: from(key, service('open.*')), ask: 'open.b' },
    { imported: from(key, service('open.a', { local_subject: 'mine' })), ask: 'mine' },
    { imported: from(key, service('open.*', { local_subject: 'my.$1.x' })), ask: 'my.t.x' },
    {
      imported: from(key, service('two.*.*.b', { local_subject: 'my.$2.$1' })),
      ask: 'my.s.t',
    },
    { imported: from(key, service('two.*.*.b', { local_subject: 'my.*.*' })), ask: 'my.s.t' },
    { imported: from(key, service('mine', { to: 'open.a' })), ask: 'mine' },
    { imported: from(key, service('open.a', { share: true })), ask: 'open.a' },
    { imported: from(key, service('other')), ask: 'other' },
    { imported: from(stranger.key, service('open.a')), ask: 'open.a' },
    { imported: from(new SignedAccount().key, service('open.a')), ask: 'open.a' },
    { imported: from(key, stream('open.a')), ask: 'open.a' },
    { imported: from(key, service('many.a.b')), ask: 'many.a.b' },
    { imported: from(key, service('many.>', { local_subject: 'm.>' })), ask: 'm.c' },
    { imported: from(key, service('parts')), ask: 'parts' },
    { imported: from(key, service(`of.${importer.key}.s`)), ask: `of.${importer.key}.s` },
    { imported: from(key, service(`of.${stranger.key}.s`)), ask: `of.${stranger.key}.s` },
    { imported: from(key, service('of.*.s')), ask: `of.${importer.key}.s` },
    {
      imported: from(key, service(`of.${importer.key}.s`, { local_subject: 'mine' })),
      ask: 'mine',
    },
    ...[
      '',
      activations.of('service', 'private.s'),
      activations.of('service', '>'),
      activations.of('service', 'private.s', {}, { exp: NOW + 1000, nbf: NOW - 1000 }),
      activations.of('service', 'private.s', {}, { exp: NOW - 10 }),
      activations.of('service', 'private.s', {}, { nbf: NOW + 1000 }),
      activations.by(signer, { issuer_account: key }),
      activations.of('service', 'private.s', { issuer_account: key }),
    ].map((token) => ({ imported: from(key, service('private.s', { token })), ask: 'private.s' })),
    ...[NOW - 1, NOW, NOW + 1].map((iat) => ({
      imported: from(
        key,
        service('revoked.s', { token: activations.of('service', 'revoked.s', {}, { iat }) }),
      ),
      ask: 'revoked.s',
    })),
    { imported: from(key, stream('news.>')), publish: ['news.a', 'news.b.c'] },
    { imported: from(key, stream('news.*')), publish: ['news.a', 'news.b.c'] },
    { imported: from(key, stream('news.>', { to: 'their' })), publish: ['news.a'] },
    { imported: from(key, stream('news.>', { to: 'their.' })), publish: ['news.a'] },
    { imported: from(key, stream('news.>', { local_subject: 'n.>' })), publish: ['news.a'] },
    {
      imported: from(key, stream('news.*.*', { local_subject: 'n.$2.$1' })),
      publish: ['news.a.b'],
    },
    {
      imported: from(key, stream(`for.${importer.key}.a`, { local_subject: 'me' })),
      publish: [`for.${importer.key}.a`, `for.${stranger.key}.a`],
    },
    { imported: from(key, stream(`for.${stranger.key}.a`)), publish: [`for.${stranger.key}.a`] },
    { imported: from(key, stream('secret.a')), publish: ['secret.a'] },
    {
      imported: from(key, stream('secret.a', { token: activations.of('stream', 'secret.>') })),
      publish: ['secret.a', 'secret.b'],
    },
  ]
}

/** Claims that break a rule: nobody comes in. */
function brokenOf(importer: SignedAccount): readonly object[] {
  const activations = new Activations(importer)
  return [
    { imports: [from(key, service('private.s', { token: 'x.y.z' }))] },
    { imports: [from(key, service('private.s', { token: activations.by(stranger, {}) }))] },
    { imports: [from(key, service('open.a', { token: activations.of('stream', 'open.a') }))] },
    { imports: [from(key, service('open.a', { token: activations.of('service', 'open.b') }))] },
    {
      imports: [
        from(
          key,
          service('private.s', { token: activations.by(exporter, {}, { sub: stranger.key }) }),
        ),
      ],
    },
    { imports: [from(key, service('open.a', { to: 'a', local_subject: 'b' }))] },
    { imports: [from(key, service('open. a'))] },
    { imports: [from(key, service('open..a'))] },
    { imports: [from('', service('open.a'))] },
    { imports: [from(key, stream('news.a', { share: true }))] },
    { exports: [service('a', { response_type: 'stream' })] },
    { exports: [stream('a', { response_type: 'Stream' })] },
    { exports: [service('a.*', { account_token_position: 1 })] },
    { exports: [service('a.b', { account_token_position: 2 })] },
    { exports: [service('a.*'), service('a.b')] },
    { exports: [stream('a'), service('a')] },
    { exports: [service('')] },
  ]
}

async function connectTo(servers: string, account: SignedAccount): Promise<NatsConnection> {
  const authenticator = jwtAuthenticator(account.bearer({}))
  return await connect({ servers, reconnect: false, authenticator })
}

async function answersTo(importing: NatsConnection, ask: string): Promise<string[]> {
  const answers = await importing.requestMany(ask, 'hello', {
    strategy: 'timer',
    maxWait: 200,
  })
  const found: string[] = []
  try {
    for await (const answer of answers) found.push(answer.data.toString())
  } catch (error) {
    found.push((error as Error).message)
  }
  return found
}

async function heardOf(
  exporting: NatsConnection,
  importing: NatsConnection,
  subjects: readonly string[],
): Promise<string[]> {
  const heard: string[] = []
  const listening = importing.subscribe('>', {
    callback: (_, { subject }) => void heard.push(subject),
  })
  await importing.flush()
  for (const subject of subjects) exporting.publish(subject)
  await exporting.flush()
  await importing.flush()
  listening.unsubscribe()
  return heard
}

async function resultOf(
  servers: string,
  importer: SignedAccount,
  { ask, publish = [] }: Probe,
): Promise<string[]> {
  const exporting = await connectTo(servers, exporter)
  const importing = await connectTo(servers, importer)
  try {
    if (ask === undefined) return await heardOf(exporting, importing, publish)
    exporting.subscribe('>', {
      callback: (_, message) => {
        message.respond(`${message.subject} ${message.data}`)
        if (/^(many|parts)/.test(message.subject)) message.respond('more')
      },
    })
    await exporting.flush()
    return await answersTo(importing, ask)
  } finally {
    await exporting.close()
    await importing.close()
  }
}

/** Something of its own for each of as many accounts as there are. */
function forEachAccount<T>(
  listOf: (account: SignedAccount) => readonly T[],
): readonly (readonly [account: SignedAccount, its: T])[] {
  const { length } = listOf(new SignedAccount())
  return Array.from({ length }, (_, at) => {
    const account = new SignedAccount()
    return [account, listOf(account)[at] as T] as const
  })
}

function configurationOf(others: readonly (readonly [SignedAccount, object])[]): string {
  return operatorConfiguration([
    [exporter, { exports: EXPORTS, signing_keys: [signer.key] }],
    [stranger, {}],
    ...others,
  ])
}

it('accounts of an operator share what their claims export and import', async () => {
  const probes = forEachAccount(probesOf)
  const importers = probes.map(
    ([account, { imported }]) => [account, { imports: [imported] }] as const,
  )
  const { ours, theirs } = await onConfiguration(configurationOf(importers), async ({ nats }) => {
    const results: string[] = []
    for (const [account, probe] of probes) {
      const result = (await resultOf(nats, account, probe)).sort()
      results.push(`${JSON.stringify(probe)}: ${result.join(', ')}`)
    }
    return results
  })
  assert.deepEqual(ours, theirs)
})

it('nobody is let into an account whose exports or imports break a rule', async () => {
  const broken = forEachAccount(brokenOf)
  const { ours, theirs } = await onConfiguration(configurationOf(broken), async ({ nats }) => {
    const results: string[] = []
    for (const [account, claims] of broken) {
      const result = await connectTo(nats, account).then(
        (connection) => connection.close().then(() => 'came in'),
        (error: Error) => error.message,
      )
      results.push(`${JSON.stringify(claims)}: ${result}`)
    }
    return results
  })
  assert.deepEqual(ours, theirs)
})

it('an import of something private ends with the claims that allow it', async () => {
  const importers = [new SignedAccount(), new SignedAccount()] as const
  const { ours, theirs } = await onAccountsOf(importers, async (servers) => {
    const exporting = await connectTo(servers, exporter)
    exporting.subscribe('private.s', { callback: (_, message) => void message.respond('yes') })
    const [asking, listening] = [
      await connectTo(servers, importers[0]),
      await connectTo(servers, importers[1]),
    ]
    let heardCount = 0
    listening.subscribe('secret.a', { callback: () => void heardCount++ })
    await Promise.all([exporting.flush(), listening.flush()])
    exporting.publish('secret.a')
    await exporting.flush()
    await listening.flush()
    const before = [heardCount, ...(await answersTo(asking, 'private.s'))]
    await untilRefused(asking)
    exporting.publish('secret.a')
    await exporting.flush()
    await listening.flush()
    await Promise.all([exporting.close(), asking.close(), listening.close()])
    return [...before, heardCount]
  })
  assert.deepEqual(theirs, [1, 'yes', 1])
  assert.deepEqual(ours, theirs)
})

/** Starts each server with claims that hold for some seconds from then on. */
async function onAccountsOf<T>(
  [asking, listening]: readonly [SignedAccount, SignedAccount],
  talk: (servers: string) => Promise<T>,
): Promise<{ readonly ours: T; readonly theirs: T }> {
  const configuration = (): string => {
    const exp = Math.floor(Date.now() / 1000) + 6
    const token = new Activations(asking).of('service', 'private.s', {}, { exp })
    const other = new Activations(listening).of('stream', 'secret.a', {}, { exp })
    return configurationOf([
      [asking, { imports: [from(key, service('private.s', { token }))] }],
      [listening, { imports: [from(key, stream('secret.a', { token: other }))] }],
    ])
  }
  return await onConfiguration(configuration, ({ nats }) => talk(nats))
}

async function untilRefused(asking: NatsConnection): Promise<void> {
  const limit = AbortSignal.timeout(30_000)
  while (!/no responders/.test((await answersTo(asking, 'private.s')).join())) {
    if (limit.aborted) throw new Error('the import did not end')
  }
}
