import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { describe, it } from 'node:test'
import { claimedAccounts } from '../../../../src/app/nats-server/claimed-accounts.ts'
import type {
  AccountSettings,
  ImportSettings,
} from '../../../../src/frontends/nats/auth/security-settings.ts'
import { publicNkey, signedClaims } from '../../../support/nkeys.ts'

const operator = generateKeyPairSync('ed25519')
const operatorKey = publicNkey('operator', operator.publicKey)

/** An account, and who signs for it. */
class Signer {
  readonly key: string
  readonly #privateKey: KeyObject

  constructor() {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519')
    this.key = publicNkey('account', publicKey)
    this.#privateKey = privateKey
  }

  activation(importer: Signer, nats: object, claims: object = {}): string {
    const body = { subject: 's', kind: 'service', ...nats }
    const all = { iss: this.key, sub: importer.key, iat: 100, nats: body, ...claims }
    return signedClaims(all, this.#privateKey)
  }
}

const exporter = new Signer()
const importer = new Signer()
const signing = new Signer()

const OPEN_LIMITS = { imports: -1, exports: -1 }

/** Both accounts as settings, by what their claims say. */
function accountsOf(
  exports: readonly object[],
  imports: readonly object[],
  limits: object = OPEN_LIMITS,
): (AccountSettings | undefined)[] {
  const claims = (sub: string, nats: object): readonly [string, string] => [
    sub,
    signedClaims({ iss: operatorKey, sub, iat: 1, nats }, operator.privateKey),
  ]
  const accounts = claimedAccounts({
    trustedKeys: [operatorKey],
    accountClaims: new Map([
      claims(exporter.key, { exports, limits: OPEN_LIMITS, signing_keys: [signing.key] }),
      claims(importer.key, { imports, limits }),
    ]),
  })
  return [exporter, importer].map(({ key }) => accounts.find(({ name }) => name === key))
}

function importsOf(exports: readonly object[], wanted: object): readonly ImportSettings[] {
  const [, account] = accountsOf(exports, [{ account: exporter.key, ...wanted }])
  return account?.imports ?? []
}

const PRIVATE = [{ type: 'service', subject: 's', token_req: true }]

function isImported(token: string, exports: readonly object[] = PRIVATE): boolean {
  return importsOf(exports, { type: 'service', subject: 's', token }).length > 0
}

describe('imports and exports in claims of accounts', () => {
  it('are those that a configuration could have', () => {
    const exports = [
      { type: 'service', subject: 'q.*', response_type: 'Stream' },
      { type: 'stream', subject: 'news.>' },
    ]
    const imports = [
      { account: exporter.key, type: 'service', subject: 'q.a', local_subject: 'mine' },
      { account: exporter.key, type: 'service', subject: 'mine', to: 'q.b' },
      { account: exporter.key, type: 'stream', subject: 'news.>', to: 'their' },
    ]
    const [from, to] = accountsOf(exports, imports)
    const open = { accounts: null, allowsTrace: false }
    assert.deepEqual(from?.exports, [
      { kind: 'service', subject: 'q.*', answersOften: true, ...open },
      { kind: 'stream', subject: 'news.>', answersOften: false, ...open },
    ])
    assert.deepEqual(
      to?.imports.map(({ kind, subject, localSubject }) => [kind, subject, localSubject]),
      [
        ['service', 'q.a', 'mine'],
        ['service', 'q.b', 'mine'],
        ['stream', 'news.>', 'their.news.>'],
      ],
    )
  })

  it('leave out what nobody exports', () => {
    const exports = [{ type: 'stream', subject: 'a' }]
    assert.deepEqual(importsOf(exports, { type: 'service', subject: 'a' }), [])
    assert.deepEqual(importsOf(exports, { type: 'stream', subject: 'b' }), [])
    assert.deepEqual(importsOf(exports, { type: 'stream', subject: '>' }), [])
  })

  it('may need the name of the importer in the subject', () => {
    const exports = [{ type: 'stream', subject: 'of.*', account_token_position: 2 }]
    const own = { type: 'stream', subject: `of.${importer.key}` }
    const [from] = accountsOf(exports, [{ account: exporter.key, ...own }])
    assert.deepEqual(from?.exports[0]?.accounts, [importer.key])
    assert.equal(importsOf(exports, own).length, 1)
    assert.equal(importsOf(exports, { type: 'stream', subject: `of.${exporter.key}` }).length, 0)
    assert.equal(importsOf(exports, { type: 'stream', subject: 'of.*' }).length, 0)
  })

  it('may need claims of the exporter, or of who signs for it', () => {
    assert.equal(isImported(''), false)
    assert.equal(isImported(exporter.activation(importer, {})), true)
    assert.equal(isImported(signing.activation(importer, { issuer_account: exporter.key })), true)
    const stranger = new Signer()
    assert.equal(isImported(stranger.activation(importer, { issuer_account: exporter.key })), false)
  })

  it('hold as long as what the exporter signed', () => {
    const token = exporter.activation(importer, {}, { nbf: 5, exp: 9 })
    const [one] = importsOf(PRIVATE, { type: 'service', subject: 's', token })
    assert.deepEqual(one?.validity, { fromMs: 5000, untilMs: 9000 })
  })

  it('end with what the exporter takes back', () => {
    const token = exporter.activation(importer, {})
    const revokedAt = (revocations: object): boolean =>
      isImported(token, [{ ...PRIVATE[0], revocations }])
    assert.equal(revokedAt({ [importer.key]: 99 }), true)
    assert.equal(revokedAt({ [importer.key]: 100 }), false)
    assert.equal(revokedAt({ '*': 100 }), false)
    assert.equal(revokedAt({ [exporter.key]: 100 }), true)
  })
})

describe('claims of accounts that break a rule', () => {
  const broken: readonly object[] = [
    { type: 'topic', subject: 's' },
    { type: 'service', subject: '' },
    { type: 'service', subject: 's', account: '' },
    { type: 'service', subject: 's', local_subject: 'a', to: 'b' },
    { type: 'stream', subject: 's', share: true },
    { type: 'service', subject: 's', token: 'x' },
    { type: 'service', subject: 's', token: exporter.activation(exporter, {}) },
    { type: 'service', subject: 's', token: signing.activation(importer, {}) },
    { type: 'stream', subject: 's', token: exporter.activation(importer, {}) },
    { type: 'service', subject: 'x', token: exporter.activation(importer, {}) },
  ]
  for (const wanted of broken) {
    it(`are not used: ${JSON.stringify({ ...wanted, token: 'token' in wanted })}`, () => {
      const [, account] = accountsOf([], [{ account: exporter.key, ...wanted }])
      assert.equal(account, undefined)
    })
  }

  it('are not used when the operator allows fewer imports', () => {
    const wanted = [{ account: exporter.key, type: 'service', subject: 's' }]
    assert.equal(accountsOf([], wanted, {})[1], undefined)
    assert.equal(accountsOf([], wanted, { imports: 0 })[1], undefined)
    assert.notEqual(accountsOf([], wanted, { imports: 1 })[1], undefined)
    assert.notEqual(accountsOf([], [], {})[1], undefined)
  })

  it('are not used when exports overlap, or say of whom they are at no wildcard', () => {
    const isUsed = (...exports: readonly object[]): boolean =>
      accountsOf(exports, [])[0] !== undefined
    const service = { type: 'service', subject: 'a.*' }
    assert.equal(isUsed(service), true)
    assert.equal(isUsed(service, { type: 'service', subject: 'a.b' }), false)
    assert.equal(isUsed(service, { type: 'stream', subject: 'a.b' }), true)
    assert.equal(isUsed({ ...service, account_token_position: 1 }), false)
    assert.equal(isUsed({ ...service, account_token_position: 3 }), false)
    assert.equal(isUsed({ ...service, response_type: 'stream' }), false)
  })
})
