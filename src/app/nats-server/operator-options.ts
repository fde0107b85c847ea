import { readFileSync } from 'node:fs'
import { ConfigError } from '../../base/errors.ts'
import { readClaims, textsOf } from '../../frontends/nats/auth/claims.ts'
import type { OperatorSettings } from '../../frontends/nats/auth/security-settings.ts'
import type { ConfReader } from './conf-reader.ts'

interface OperatorOptions {
  readonly settings: OperatorSettings
  /** The account of the system, if the operator says which one it is. */
  readonly systemAccount: string | undefined
}

/**
 * Whom the server trusts to name accounts and users.
 * @returns null when nobody is named
 * @throws ConfigError for claims that can't be read or are not signed
 */
export function readOperator(conf: ConfReader): OperatorOptions | null {
  const given = conf.texts('operator', 'operators', 'roots', 'root') ?? []
  const trusted = conf.texts('trusted_keys', 'trusted') ?? []
  const resolver = conf.text('resolver', 'account_resolver')
  const preload = conf.block('resolver_preload')
  conf.value('resolver_tls', 'resolver_pinned_accounts')
  if (given.length === 0 && trusted.length === 0) return null
  if (resolver !== undefined && !/^mem(ory)?$/i.test(resolver)) {
    throw new ConfigError(`the resolver ${resolver} is not served: only MEMORY is`)
  }
  const claims = given.map(readOperatorClaims)
  const keys = claims.flatMap(({ subject, body }) => [subject, ...textsOf(body['signing_keys'])])
  const accountClaims = new Map<string, string>()
  for (const name of preload?.names ?? []) {
    const token = preload?.text(name.toLowerCase())
    if (token !== undefined) accountClaims.set(name, token)
  }
  const systemAccount = claims
    .map(({ body }) => body['system_account'])
    .find((account) => typeof account === 'string' && account !== '')
  return {
    settings: { trustedKeys: [...trusted, ...keys], accountClaims },
    systemAccount: typeof systemAccount === 'string' ? systemAccount : undefined,
  }
}

/** @param given the claims, or the file that they are in */
function readOperatorClaims(given: string) {
  const token = given.startsWith('eyJ') ? given : fileOf(given)
  const claims = readClaims(token, 'operator')
  if (claims === null) throw new ConfigError('the claims of the operator are not signed by one')
  return claims
}

function fileOf(path: string): string {
  try {
    const lines = readFileSync(path, 'utf8').split('\n')
    return (lines.find((line) => line.startsWith('eyJ')) ?? '').trim()
  } catch (error) {
    throw new ConfigError(`the claims of the operator can't be read from ${path}`, { cause: error })
  }
}
