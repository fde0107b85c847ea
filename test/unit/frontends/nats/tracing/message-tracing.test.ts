import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { gunzipSync } from 'node:zlib'
import {
  type AccountSettings,
  type ExportSettings,
  type ImportSettings,
  OPEN,
  type PermissionRules,
  type SecuritySettings,
  type UserSettings,
} from '../../../../../src/frontends/nats/auth/security-settings.ts'
import { type FakeClient, MODERN, TestServer } from '../nats-clients.ts'

const ONLY = 'Nats-Trace-Only: true'

/** HPUB of `hi` with these headers. */
function hpub(subject: string, reply: string, ...lines: readonly string[]): string {
  const block = `NATS/1.0\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`
  return `HPUB ${subject} ${reply} ${block.length} ${block.length + 2}\r\n${block}hi\r\n`
}

const traced = (subject: string, ...lines: readonly string[]): string =>
  hpub(subject, '', 'Nats-Trace-Dest: T', ...lines)

/** A client that gets traces, and nothing else. */
function tracer(server: TestServer, user: object = {}): () => unknown[] {
  const client = server.connect({ ...MODERN, ...user })
  client.send('SUB T 1\r\n')
  return () =>
    client
      .read()
      .split('\r\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => essence(JSON.parse(line)))
}

interface Trace {
  readonly events: readonly Readonly<Record<string, unknown>>[]
}

/** The events of a trace, without numbers of clients and times. */
const essence = ({ events }: Trace): string[] =>
  events.map(({ type, cid: _cid, ts: _ts, kind: _kind, ...facts }) =>
    [type, ...Object.entries(facts).map(([name, value]) => `${name}=${value}`)].join(' '),
  )

const named = (name: string): object => ({ ...MODERN, name })

function subscribed(server: TestServer, name: string, ...subjects: readonly string[]): FakeClient {
  const client = server.connect(named(name))
  for (const [index, subject] of subjects.entries()) client.send(`SUB ${subject} ${index}\r\n`)
  return client
}

describe('a traced message', () => {
  it('comes to whoever listens, and one message tells who that is', async () => {
    const server = await TestServer.start()
    const traces = tracer(server)
    const one = subscribed(server, 'one', 'a')
    const two = subscribed(server, 'two', '* q')
    server.connect(named('p')).send(traced('a'))
    assert.match(one.read(), /^HMSG a 0 .*Nats-Trace-Dest: T.*hi/s)
    assert.match(two.read(), /^HMSG a 0 .*hi/s)
    server.scheduler.finishTurn()
    const expected = ['in name=p acc=$G subj=a', 'eg name=one sub=a', 'eg name=two sub=* queue=q']
    assert.deepEqual(traces(), [expected])
  })

  it('that is only to be traced comes to nobody, and is not counted', async () => {
    const server = await TestServer.start()
    const traces = tracer(server)
    const one = subscribed(server, 'one', 'a')
    one.send('UNSUB 0 1\r\n')
    server.connect(MODERN).send(traced('a', ONLY))
    assert.equal(one.read(), '')
    server.scheduler.finishTurn()
    assert.deepEqual(traces(), [['in acc=$G subj=a', 'eg name=one sub=a']])
    server.connect().send('PUB a 0\r\n\r\n')
    assert.equal(one.read(), 'MSG a 0 0\r\n\r\n')
  })

  it('says why somebody who listens does not get it', async () => {
    const server = await TestServer.start()
    const traces = tracer(server)
    const client = server.connect({ ...named('p'), echo: false })
    client.send(`SUB a 0\r\n${traced('a')}`)
    server.scheduler.finishTurn()
    const event = 'eg name=p sub=a error=Not delivered because of no echo'
    assert.deepEqual(traces(), [['in name=p acc=$G subj=a', event]])
  })

  it('that nobody would get is answered so, also if it is only to be traced', async () => {
    const server = await TestServer.start()
    const traces = tracer(server)
    const client = server.connect(MODERN)
    client.send('SUB in 4\r\n')
    for (const line of ['A: b', ONLY]) {
      client.send(hpub('a', 'in', 'Nats-Trace-Dest: T', line))
      assert.match(client.read(), /^HMSG in 4 .*NATS\/1.0 503/s)
    }
    server.scheduler.finishTurn()
    assert.deepEqual(traces(), [['in acc=$G subj=a'], ['in acc=$G subj=a']])
  })

  it('to what is no subject goes its way, unless it is only to be traced', async () => {
    const server = await TestServer.start()
    const one = subscribed(server, 'one', 'a')
    const client = server.connect(MODERN)
    client.send(hpub('a', '', 'Nats-Trace-Dest: b..c', ONLY) + hpub('a', '', 'Nats-Trace-Dest: >'))
    assert.equal(one.read().split('HMSG').length - 1, 1)
    assert.equal(client.read(), '')
  })

  it('is told of in gzip where that is asked for', async () => {
    const server = await TestServer.start()
    const listener = server.connect(MODERN)
    listener.send('SUB T 1\r\n')
    server.connect(MODERN).send(traced('a', 'Accept-Encoding: gzip'))
    server.scheduler.finishTurn()
    const raw = Buffer.from(listener.readRaw(), 'latin1')
    assert.match(raw.toString('latin1'), /Content-Encoding: gzip\r\n\r\n/)
    const trace: Trace = JSON.parse(
      gunzipSync(raw.subarray(raw.indexOf('\x1f\x8b', 0, 'latin1'), -2)).toString(),
    )
    assert.deepEqual(essence(trace), ['in acc=$G subj=a'])
  })
})

const NO_LIMITS = { maxConnections: -1, maxSubscriptions: -1, jetStream: null }

function user(name: string, account: string, permissions: PermissionRules | null): UserSettings {
  return { user: name, password: name, account, permissions, kinds: null }
}

const as = (name: string): object => ({ ...named(name), user: name, pass: name })

describe('permissions of a client that has messages traced', () => {
  const permissions: PermissionRules = {
    publish: { allow: ['a', 'T'], deny: [] },
    subscribe: { allow: null, deny: ['x.secret'] },
    responses: null,
  }
  const security: SecuritySettings = {
    ...OPEN,
    users: [user('all', '$G', null), user('few', '$G', permissions)],
  }
  const start = (): Promise<TestServer> => TestServer.start({}, 100, security)

  it('hold for where the trace goes: otherwise the message goes nowhere', async () => {
    const server = await start()
    const all = server.connect(as('all'))
    all.send('SUB > 1\r\n')
    const few = server.connect(as('few'))
    for (const to of ['U', '_GR_.x']) {
      few.send(hpub('a', '', `Nats-Trace-Dest: ${to}`))
      assert.equal(few.read(), `-ERR 'Permissions Violation for Publish to "${to}"'\r\n`)
    }
    server.scheduler.finishTurn()
    assert.equal(all.read(), '')
  })

  it('that deny the message are told of', async () => {
    const server = await start()
    const traces = tracer(server, as('all'))
    server.connect(as('few')).send(traced('b'))
    server.scheduler.finishTurn()
    const event = 'in name=few acc=$G subj=b error=Permissions Violation for Publish to "b"'
    assert.deepEqual(traces(), [[event]])
  })

  it('that deny somebody the subject are told of', async () => {
    const server = await start()
    const traces = tracer(server, as('all'))
    server.connect(as('few')).send('SUB x.* 1\r\n')
    server.connect(as('all')).send(traced('x.secret'))
    server.scheduler.finishTurn()
    const error = 'Not delivered because subscription denies this subject'
    assert.deepEqual(traces(), [
      ['in name=all acc=$G subj=x.secret', `eg name=few sub=x.* error=${error}`],
    ])
  })

  it('are asked for again behind a message that went nowhere', async () => {
    const server = await start()
    const all = server.connect(as('all'))
    all.send('SUB a 1\r\nSUB b 2\r\n')
    const few = server.connect(as('few'))
    few.send(`PUB a 0\r\n\r\n${hpub('b', '', 'Nats-Trace-Dest: U')}PUB b 0\r\n\r\n`)
    assert.match(few.read(), /Publish to "U".*Publish to "b"/s)
    assert.equal(all.read(), 'MSG a 1 0\r\n\r\n')
  })
})

describe('a traced message between accounts', () => {
  const start = (allowsTrace: boolean): Promise<TestServer> => {
    const service: ExportSettings = { ...EXPORT, kind: 'service', subject: 'svc', allowsTrace }
    const imports: ImportSettings[] = [
      { kind: 'service', account: 'B', subject: 'svc', localSubject: 'ask' },
      { kind: 'stream', account: 'B', subject: 'news.>', localSubject: 'in.>', allowsTrace },
    ]
    const accounts: AccountSettings[] = [
      { name: 'A', exports: [], imports, ...NO_LIMITS },
      {
        name: 'B',
        exports: [service, { ...EXPORT, subject: 'news.>' }],
        imports: [],
        ...NO_LIMITS,
      },
    ]
    const users = [user('a', 'A', null), user('b', 'B', null)]
    return TestServer.start({}, 100, { ...OPEN, users, accounts })
  }
  const EXPORT: ExportSettings = {
    ...{ kind: 'stream', subject: '', accounts: null, answersOften: false },
  }

  it('shows what is behind a service only if its exporter allows that', async () => {
    for (const isAllowed of [true, false]) {
      const server = await start(isAllowed)
      const traces = tracer(server, as('a'))
      const service = server.connect(as('b'))
      service.send('SUB svc 1\r\n')
      const head = ['in name=a acc=A subj=ask', 'si acc=B from=ask to=svc']
      const behind = isAllowed ? ['eg name=b acc=B sub=svc'] : []
      const asking = server.connect(as('a'))
      asking.send(traced('ask', ONLY))
      assert.equal(service.read(), '')
      asking.send(traced('ask'))
      assert.match(service.read(), /Nats-Trace-Dest: trace disabled/)
      server.scheduler.finishTurn()
      assert.deepEqual(traces(), [
        [...head, ...behind],
        [...head, ...behind],
      ])
    }
  })

  it('is answered as any other', async () => {
    const server = await start(true)
    const service = server.connect(as('b'))
    service.send('SUB svc 1\r\n')
    const asking = server.connect(as('a'))
    asking.send(`SUB in 1\r\n${hpub('ask', 'in', 'Nats-Trace-Dest: T')}`)
    const [, reply = ''] = /^HMSG svc 1 (\S+)/.exec(service.read()) ?? []
    service.send(`PUB ${reply} 3\r\nyes\r\n`)
    assert.equal(asking.read(), 'MSG in 1 3\r\nyes\r\n')
  })

  it('shows who listens to an imported stream only if its importer allows that', async () => {
    for (const isAllowed of [true, false]) {
      const server = await start(isAllowed)
      const traces = tracer(server, as('b'))
      const listener = server.connect(as('a'))
      listener.send('SUB in.* 1\r\n')
      const publisher = server.connect(as('b'))
      publisher.send(traced('news.x', ONLY))
      assert.equal(listener.read(), '')
      publisher.send(traced('news.x'))
      assert.match(listener.read(), /^HMSG in.x 1 /)
      server.scheduler.finishTurn()
      const behind = isAllowed ? ['eg name=a acc=A sub=news.*'] : []
      const expected = ['in name=b acc=B subj=news.x', 'se acc=A to=in.x', ...behind]
      assert.deepEqual(traces(), [expected, expected])
    }
  })
})
