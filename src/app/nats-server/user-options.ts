import type {
  PermissionRules,
  ResponseRules,
  SubjectRules,
  UserSettings,
} from '../../frontends/nats/auth/security-settings.ts'
import type { ConfReader } from './conf-reader.ts'
import { isConfMap } from './conf-value.ts'

/** Source: DEFAULT_ALLOW_RESPONSE_MAX_MSGS and DEFAULT_ALLOW_RESPONSE_EXPIRATION of nats-server. */
const RESPONSES: ResponseRules = { maxCount: 1, ttlMs: 120_000 }

const ALL: SubjectRules = { allow: null, deny: [] }

/** Users of one account, from `users` and, for keys, `nkeys`. */
export function readUsers(
  block: ConfReader,
  account: string,
  defaults: PermissionRules | null,
): UserSettings[] {
  const entries = [...block.blockList('users'), ...block.blockList('nkeys')]
  return entries.map((entry) => readUser(entry, account, defaults))
}

function readUser(
  entry: ConfReader,
  account: string,
  defaults: PermissionRules | null,
): UserSettings {
  const name = entry.text('user', 'username')
  const nkey = entry.text('nkey')
  const password = entry.text('pass', 'password')
  const permissions = readPermissions(entry, 'permissions', 'permission', 'authorization')
  const kinds = entry.texts('allowed_connection_types', 'connection_types', 'clients')
  entry.finish()
  if (nkey !== undefined && (name !== undefined || password !== undefined)) {
    entry.fail(['nkey'], 'does not go with a user name or a password')
  }
  if (nkey === undefined && name === undefined) {
    entry.fail(['user'], 'needs a user name or an nkey')
  }
  return {
    user: nkey ?? name ?? '',
    // A user of whom the configuration has no password comes without one. Source: parseUsers of nats-server.
    password: nkey === undefined ? (password ?? '') : null,
    account,
    permissions: permissions ?? defaults,
    kinds: kinds?.map((kind) => kind.toUpperCase()) ?? null,
  }
}

/** @returns null when nothing is said of them */
export function readPermissions(
  entry: ConfReader,
  ...names: readonly string[]
): PermissionRules | null {
  const block = entry.block(...names)
  if (block === undefined) return null
  const publish = readRules(block, 'publish', 'pub', 'import')
  const subscribe = readRules(block, 'subscribe', 'sub', 'export')
  const responses = readResponses(block, 'allow_responses', 'allow_response')
  block.finish()
  const isLimited = responses !== null && publish.allow === null
  return { publish: isLimited ? { ...publish, allow: [] } : publish, subscribe, responses }
}

function readRules(block: ConfReader, ...names: readonly string[]): SubjectRules {
  const value = block.value(...names)
  if (value === undefined) return ALL
  if (!isConfMap(value)) return { allow: block.texts(...names) ?? [], deny: [] }
  const rules = block.block(...names) as ConfReader
  const allow = rules.texts('allow') ?? null
  const deny = rules.texts('deny') ?? []
  rules.finish()
  return { allow, deny }
}

function readResponses(block: ConfReader, ...names: readonly string[]): ResponseRules | null {
  const value = block.value(...names)
  if (value === undefined || value === false) return null
  if (value === true) return RESPONSES
  const rules = block.block(...names) as ConfReader
  const maxCount = rules.integer('max', 'max_msgs', 'max_messages', 'max_responses')
  const ttlMs = rules.durationMs('expires', 'expiration', 'ttl')
  rules.finish()
  return { maxCount: maxCount || RESPONSES.maxCount, ttlMs: ttlMs || RESPONSES.ttlMs }
}
