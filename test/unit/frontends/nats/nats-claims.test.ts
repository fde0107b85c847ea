import assert from 'node:assert/strict'
import { generateKeyPairSync, sign } from 'node:crypto'
import { describe, it } from 'node:test'
import { OPEN } from '../../../../src/frontends/nats/auth/security-settings.ts'
import { publicNkey, signedClaims } from '../../../support/nkeys.ts'
import { MODERN, TestServer } from './nats-clients.ts'

const VIOLATION = "-ERR 'Authorization Violation'\r\n"

const operator = generateKeyPairSync('ed25519')
const account = generateKeyPairSync('ed25519')
const signing = generateKeyPairSync('ed25519')
const someone = generateKeyPairSync('ed25519')
const operatorKey = publicNkey('operator', operator.publicKey)
const accountKey = publicNkey('account', account.publicKey)
const userKey = publicNkey('user', someone.publicKey)

function accountClaims(nats: object = {}, more: object = {}): string {
  const body = { iss: operatorKey, sub: accountKey, name: 'ACC', nats, ...more }
  return signedClaims(body, operator.privateKey)
}

function userClaims(nats: object = {}, more: object = {}, key = account.privateKey): string {
  const body = { iss: accountKey, sub: userKey, name: 'bob', iat: 1_000, nats, ...more }
  return signedClaims(body, key)
}

async function connect(claims: string, of: string, key = someone.privateKey) {
  const trusted = { trustedKeys: [operatorKey], accountClaims: new Map([[accountKey, of]]) }
  const server = await TestServer.start({}, 100, { ...OPEN, operator: trusted })
  const client = server.connect(null)
  const sig = sign(null, Buffer.from(nonceIn(client.readRaw())), key).toString('base64url')
  client.send(`CONNECT ${JSON.stringify({ ...MODERN, jwt: claims, sig })}\r\nPING\r\n`)
  return { server, client }
}

function nonceIn(info: string): string {
  return (JSON.parse(info.slice('INFO '.length)) as { nonce: string }).nonce
}

type Case = readonly [why: string, user: string, account: string]

const good: readonly Case[] = [
  ['a bearer', userClaims({ bearer_token: true }), accountClaims()],
  [
    'a user of a signing key',
    userClaims(
      { issuer_account: accountKey },
      { iss: publicNkey('account', signing.publicKey) },
      signing.privateKey,
    ),
    accountClaims({ signing_keys: [publicNkey('account', signing.publicKey)] }),
  ],
  ['a user from its network', userClaims({ src: ['10.0.0.0/8', '127.0.0.0/8'] }), accountClaims()],
  ['networks as a text', userClaims({ src: '10.0.0.0/8, 127.0.0.1/32' }), accountClaims()],
  [
    'a user at its time',
    userClaims({ times: [{ start: '22:13:19', end: '22:13:21' }], times_location: 'UTC' }),
    accountClaims(),
  ],
  ['empty restrictions', userClaims({ src: [], times: [], times_location: '' }), accountClaims()],
]

const bad: readonly Case[] = [
  ['a signature of somebody else', userClaims({}, {}, signing.privateKey), accountClaims()],
  ['an unknown account', userClaims({}, { iss: publicNkey('account', signing.publicKey) }), ''],
  ['a user whose time is over', userClaims({}, { exp: 1_600_000_000 }), accountClaims()],
  ['an account whose time is over', userClaims(), accountClaims({}, { exp: 1_600_000_000 })],
  ['a user that was revoked', userClaims(), accountClaims({ revocations: { '*': 2_000 } })],
  ['a user for other networks', userClaims({ src: ['10.0.0.0/8'] }), accountClaims()],
  ['a network that is none', userClaims({ src: ['127.0.0.0/8', 'x'] }), accountClaims()],
  ['networks that are no texts', userClaims({ src: [5] }), accountClaims()],
  [
    'a user at another time',
    userClaims({ times: [{ start: '22:13:21', end: '22:13:19' }], times_location: 'UTC' }),
    accountClaims(),
  ],
  ['times that are no list', userClaims({ times: {} }), accountClaims()],
  ['a zone that nobody knows', userClaims({ times_location: 'Mars/Olympus' }), accountClaims()],
  [
    'a user whose signing key is for other networks',
    userClaims(
      { issuer_account: accountKey },
      { iss: publicNkey('account', signing.publicKey) },
      signing.privateKey,
    ),
    accountClaims({
      signing_keys: [
        { key: publicNkey('account', signing.publicKey), template: { src: ['10.0.0.0/8'] } },
      ],
    }),
  ],
  ['what is no token', 'abc.def', accountClaims()],
]

describe('NATS claims', () => {
  it('let in a user of an account of the operator, in that account', async () => {
    const { client } = await connect(userClaims(), accountClaims())
    assert.match(client.readRaw(), new RegExp(`^PONG\\r\\nINFO .*"remote_account":"${accountKey}"`))
  })

  for (const [why, claims, of] of good) {
    it(`let in ${why}`, async () => {
      const { client } = await connect(claims, of)
      assert.equal(client.read(), 'PONG\r\nINFO\r\n')
    })
  }

  for (const [why, claims, of] of bad) {
    it(`refuse ${why}`, async () => {
      const { client } = await connect(claims, of)
      assert.equal(client.read(), VIOLATION)
    })
  }

  it('refuse who can not sign with the key of the user', async () => {
    const { client } = await connect(userClaims(), accountClaims(), signing.privateKey)
    assert.equal(client.read(), VIOLATION)
  })
})

describe('what NATS claims give', () => {
  it('ends when the time of the user or of the account is over', async () => {
    for (const [claims, of, text] of [
      [userClaims({}, { exp: 1_700_000_010 }), accountClaims(), 'User Authentication Expired'],
      [userClaims(), accountClaims({}, { exp: 1_700_000_010 }), 'Account Authentication Expired'],
    ] as const) {
      const { server, client } = await connect(claims, of)
      client.read()
      server.scheduler.advance(9_000)
      assert.equal(client.isClosed, false)
      server.scheduler.advance(1_000)
      assert.equal(client.read(), `-ERR '${text}'\r\n`)
    }
  })

  it('ends with the time of day that a user may be connected in, or with the user', async () => {
    // It is 22:13:20 when the test begins.
    const times = [
      { start: '22:00:00', end: '22:13:25' },
      { start: '22:13:00', end: '22:13:30' },
    ]
    for (const [more, afterMs] of [
      [{}, 10_000],
      [{ exp: 1_700_000_020 }, 10_000],
      [{ exp: 1_700_000_004 }, 4_000],
    ] as const) {
      const claims = userClaims({ times, times_location: 'UTC' }, more)
      const { server, client } = await connect(claims, accountClaims())
      assert.equal(client.read(), 'PONG\r\nINFO\r\n')
      server.scheduler.advance(afterMs - 1)
      assert.equal(client.isClosed, false)
      server.scheduler.advance(1)
      assert.equal(client.read(), "-ERR 'User Authentication Expired'\r\n")
      assert.equal(client.isClosed, true)
    }
  })

  it('is what the account gives by default to a user of whom nothing is said', async () => {
    const of = accountClaims({ default_permissions: { pub: { deny: ['x'] } } })
    const refusal = '-ERR \'Permissions Violation for Publish to "x"\'\r\n'
    for (const [claims, answer] of [
      [userClaims(), refusal],
      [userClaims({ pub: { deny: ['y'] } }), ''],
    ] as const) {
      const { client } = await connect(claims, of)
      client.read()
      client.send('PUB x 0\r\n\r\n')
      assert.equal(client.read(), answer)
    }
  })

  it('is limited in what a user may do, and how many there are', async () => {
    const { client } = await connect(
      userClaims({ pub: { deny: ['x'] }, subs: 1 }),
      accountClaims({ limits: { conn: 1 } }),
    )
    client.read()
    client.send('PUB x 0\r\n\r\nSUB a 1\r\nSUB b 2\r\n')
    assert.equal(
      client.read(),
      '-ERR \'Permissions Violation for Publish to "x"\'\r\n' +
        "-ERR 'maximum subscriptions exceeded'\r\n",
    )
    const full = await connect(userClaims(), accountClaims({ limits: { conn: 0 } }))
    assert.equal(full.client.read(), "-ERR 'maximum account active connections exceeded'\r\n")
  })
})
