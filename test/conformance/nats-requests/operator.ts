import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { publicNkey, signedClaims } from '../../support/nkeys.ts'

export const NO_LIMITS = {
  ...{ conn: -1, subs: -1, payload: -1, data: -1, imports: -1, exports: -1 },
  wildcards: true,
}

/** An account of an operator, and who signs for it. */
export class SignedAccount {
  readonly key: string
  readonly #privateKey: KeyObject

  constructor() {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519')
    this.key = publicNkey('account', publicKey)
    this.#privateKey = privateKey
  }

  /** Claims of a new user, who needs no key to come in. */
  bearer(nats: object, claims: object = {}): string {
    const sub = publicNkey('user', generateKeyPairSync('ed25519').publicKey)
    const body = { subs: -1, payload: -1, data: -1, bearer_token: true, type: 'user', version: 2 }
    return this.sign({ name: 'somebody', sub, nats: { ...body, ...nats }, ...claims })
  }

  sign(claims: object): string {
    return signedClaims({ iat: 1, iss: this.key, ...claims }, this.#privateKey)
  }
}

/**
 * The configuration of a server that trusts an operator.
 * @param accounts with what their claims say
 */
export function operatorConfiguration(
  accounts: readonly (readonly [account: SignedAccount, nats: object])[],
): string {
  const operator = generateKeyPairSync('ed25519')
  const iss = publicNkey('operator', operator.publicKey)
  const system = new SignedAccount()
  const preload = [...accounts, [system, {}] as const].map(([{ key }, nats]) => {
    const body = { limits: NO_LIMITS, type: 'account', version: 2, ...nats }
    const claims = { iat: 1, name: 'ACCOUNT', iss, sub: key, nats: body }
    return `${key}: "${signedClaims(claims, operator.privateKey)}"`
  })
  return `trusted_keys: "${iss}"
  system_account: ${system.key}
  resolver: MEMORY
  resolver_preload {\n${preload.join('\n')}\n}`
}
