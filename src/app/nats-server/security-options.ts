import { ConfigError } from '../../base/errors.ts'
import { isSubset } from '../../broker/subjects/subject-subset.ts'
import { GLOBAL_ACCOUNT } from '../../frontends/nats/account.ts'
import {
  type AccountSettings,
  type ExportSettings,
  type ImportSettings,
  OPEN,
  type OperatorSettings,
  type SecuritySettings,
  SYSTEM_ACCOUNT,
  type UserSettings,
} from '../../frontends/nats/auth/security-settings.ts'
import { readAccountJetStream } from './account-jetstream.ts'
import { claimedAccounts } from './claimed-accounts.ts'
import type { ConfReader } from './conf-reader.ts'
import { readOperator } from './operator-options.ts'
import { readPermissions, readUsers } from './user-options.ts'

/** What an account of a configuration may say besides, which means nothing without a cluster. */
const PASSED_OVER = ['mappings', 'maps', 'trace_dest', 'msg_trace', 'cluster_traffic']

/** Who may come in, and what they may do there. */
export function readSecurity(
  conf: ConfReader,
  given: { readonly user?: string; readonly password?: string; readonly token?: string },
): SecuritySettings {
  const operator = readOperator(conf)
  const accounts = operator === null ? [] : claimedAccounts(operator.settings)
  const users: UserSettings[] = []
  const authorization = conf.block('authorization')
  const own = readAuthorization(authorization, given)
  users.push(...own.users)
  for (const [name, block] of conf.block('accounts')?.blocks() ?? []) {
    users.push(...readUsers(block, name, readPermissions(block, 'default_permissions')))
    accounts.push(readAccount(name, block))
    for (const passedOver of PASSED_OVER) block.value(passedOver)
    block.finish()
  }
  const systemAccount =
    conf.text('system_account', 'system') ?? operator?.systemAccount ?? SYSTEM_ACCOUNT
  const noAuthUser = conf.text('no_auth_user') ?? null
  checkReferences(accounts, users, noAuthUser)
  return {
    users,
    accounts,
    systemAccount,
    noAuthUser,
    token: own.token,
    operator: operator === null ? null : withAccounts(operator.settings, accounts),
    timeoutMs: own.timeoutMs,
  }
}

/** Nobody is let into an account whose claims can't be used. */
function withAccounts(
  operator: OperatorSettings,
  accounts: readonly AccountSettings[],
): OperatorSettings {
  const usable = [...operator.accountClaims].filter(([key]) =>
    accounts.some(({ name }) => name === key),
  )
  return { ...operator, accountClaims: new Map(usable) }
}

function readAuthorization(
  block: ConfReader | undefined,
  given: { readonly user?: string; readonly password?: string; readonly token?: string },
): Pick<SecuritySettings, 'users' | 'token' | 'timeoutMs'> {
  const user = given.user ?? block?.text('user', 'username')
  const password = given.password ?? block?.text('pass', 'password')
  const token = given.token ?? block?.text('token') ?? null
  const timeoutMs = block?.durationMs('timeout') ?? OPEN.timeoutMs
  const users: UserSettings[] = []
  if (block !== undefined) {
    const defaults = readPermissions(
      block,
      'default_permissions',
      'default_permission',
      'permissions',
    )
    users.push(...readUsers(block, GLOBAL_ACCOUNT, defaults))
    if (user !== undefined && users.length > 0) {
      block.fail(['users'], 'does not go with a single user')
    }
    block.finish()
  }
  if (user !== undefined) {
    const single = { user, password: password ?? '', account: GLOBAL_ACCOUNT }
    users.push({ ...single, permissions: null, kinds: null })
  }
  if (token !== null && users.length > 0) throw new ConfigError('a token does not go with users')
  return { users, token, timeoutMs }
}

function readAccount(name: string, block: ConfReader): AccountSettings {
  const exports = block.blockList('exports').map(readExport)
  const imports = block.blockList('imports').map(readImport)
  const limits = block.block('limits')
  const maxConnections = limits?.integer('max_connections', 'max_conn') ?? -1
  const maxSubscriptions = limits?.integer('max_subscriptions', 'max_subs') ?? -1
  limits?.finish()
  const jetStream = readAccountJetStream(block)
  return { name, exports, imports, maxConnections, maxSubscriptions, jetStream }
}

function readExport(entry: ConfReader): ExportSettings {
  const stream = entry.text('stream')
  const service = entry.text('service')
  const accounts = entry.texts('accounts') ?? null
  const response = entry.text('response', 'response_type')?.toLowerCase()
  for (const name of ['latency', 'threshold', 'account_token_position']) {
    entry.value(name)
  }
  const allowsTrace = entry.flag('allow_trace') ?? false
  entry.finish()
  if ((stream === undefined) === (service === undefined)) {
    entry.fail(['exports'], 'must name a stream or a service')
  }
  const answersOften = response === 'stream' || response === 'streamed' || response === 'chunked'
  return {
    kind: stream === undefined ? 'service' : 'stream',
    subject: stream ?? service ?? '',
    accounts,
    answersOften,
    ...(allowsTrace && { allowsTrace }),
  }
}

function readImport(entry: ConfReader): ImportSettings {
  const isStream = entry.value('stream') !== undefined
  const source = entry.block(isStream ? 'stream' : 'service')
  const account = source?.text('account')
  const subject = source?.text('subject')
  source?.finish()
  const to = entry.text('to')
  const prefix = entry.text('prefix')
  entry.value('share')
  const allowsTrace = entry.flag('allow_trace') ?? false
  entry.value('stream', 'service')
  entry.finish()
  if (account === undefined || subject === undefined) {
    return entry.fail(['imports'], 'must name the account and the subject')
  }
  const localSubject = to ?? (prefix === undefined ? subject : `${prefix}.${subject}`)
  const kind = isStream ? 'stream' : 'service'
  return { kind, account, subject, localSubject, ...(allowsTrace && { allowsTrace }) }
}

/** What names something must name something that is there, and that it may have. */
function checkReferences(
  accounts: readonly AccountSettings[],
  users: readonly UserSettings[],
  noAuthUser: string | null,
): void {
  if (noAuthUser !== null && !users.some(({ user }) => user === noAuthUser)) {
    throw new ConfigError(`no_auth_user "${noAuthUser}" is not among the users`)
  }
  const names = new Set<string>()
  for (const { user } of users) {
    if (names.has(user)) throw new ConfigError(`there are two users "${user}"`)
    names.add(user)
  }
  for (const { name, imports } of accounts) {
    for (const { account, subject, kind } of imports) {
      const exporter = accounts.find((one) => one.name === account)
      const isAllowed = exporter?.exports.some(
        (one) =>
          one.kind === kind &&
          (one.accounts === null || one.accounts.includes(name)) &&
          isSubset(subject, one.subject),
      )
      if (isAllowed !== true) {
        throw new ConfigError(
          `account ${name} imports the ${kind} "${subject}", which account ${account} does not export to it`,
        )
      }
    }
  }
}
