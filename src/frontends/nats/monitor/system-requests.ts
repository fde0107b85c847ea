import type { PublishedMessage } from '../../../wire/nats/published-message.ts'
import type { Account } from '../account.ts'
import type { PermissionRules, SubjectRules } from '../auth/security-settings.ts'
import { NatsSession } from '../nats-session.ts'
import { type SharedTail, type Subscriber, Subscription } from '../subscription.ts'
import type { MessageTrace } from '../tracing/message-trace.ts'
import { accountInfo, accountStatz, subsz } from './account-pages.ts'
import { connz, PageError } from './connz.ts'
import { PAGES } from './monitor-pages.ts'
import type { MonitoredServer, PageOptions } from './monitored-server.ts'
import { serverHead } from './server-head.ts'
import { statsz } from './varz.ts'

/** What clients of every account may ask, about themselves and their account. */
const SUBJECTS = [
  '$SYS.REQ.USER.INFO',
  '$SYS.REQ.ACCOUNT.PING.CONNZ',
  '$SYS.REQ.ACCOUNT.PING.STATZ',
  '$SYS.REQ.SERVER.PING.CONNZ',
]

/** What those of the system account may ask besides. */
const SYSTEM_SUBJECTS = [
  '$SYS.REQ.USER.INFO',
  '$SYS.REQ.ACCOUNT.*.*',
  '$SYS.REQ.SERVER.PING',
  '$SYS.REQ.SERVER.*.*',
]

const NANOSECONDS_PER_MS = 1e6
const NO_OPTIONS: PageOptions = new Map()

/** Why a request is not answered with a page. Source: ApiError of nats-server. */
interface RequestError {
  readonly code: number
  readonly description: string
}

/** Requests about the server by messages. Source: initEventTracking of nats-server. */
export class SystemRequests implements Subscriber {
  readonly #read: () => MonitoredServer
  readonly #subscribed = new Map<Account, Subscription[]>()

  constructor(read: () => MonitoredServer) {
    this.#read = read
  }

  /** Answers the clients of an account, as one of the system or not. */
  serve(account: Account): void {
    for (const subscription of this.#subscribed.get(account) ?? []) {
      account.router.remove(subscription.subject, '', subscription)
    }
    const subscriptions = (account.isSystem ? SYSTEM_SUBJECTS : SUBJECTS).map(
      (subject) => new Subscription(new AccountRequests(this, account), subject, '', ''),
    )
    for (const subscription of subscriptions) {
      account.router.insert(subscription.subject, '', subscription)
    }
    this.#subscribed.set(account, subscriptions)
  }

  deliver(): boolean {
    return false
  }

  /** @param publisher who asks */
  answer(account: Account, message: PublishedMessage, publisher: Subscriber): boolean {
    if (!message.hasReply) return true
    const server = this.#read()
    const answer = this.#answerTo(server, account, message, publisher)
    if (answer === null) return true
    const text = JSON.stringify({ server: serverHead(server), ...answer })
    account.publisher.publish(message.reply(), null, null, Buffer.from(text, 'utf8'))
    return true
  }

  #answerTo(
    server: MonitoredServer,
    account: Account,
    message: PublishedMessage,
    publisher: Subscriber,
  ): { data: object } | { error: RequestError } | object | null {
    const [, , about = '', who = '', what = ''] = message.subject().split('.')
    const options = optionsOf(message.payload())
    if (options === null) return { error: { code: 400, description: 'the request is not JSON' } }
    try {
      if (about === 'USER') return { data: userInfo(publisher) }
      if (about === 'ACCOUNT') return this.#aboutAccount(server, account, who, what, options)
      if (who !== 'PING' && who !== server.frontend.serverId) return null
      // Nobody but the system sees other accounts.
      if (!account.isSystem) return { data: connz(server, options, account.name) }
      if (what === '') return { statsz: statsz(server) }
      const page = PAGES[what]
      return page === undefined ? null : { data: page(server, options) }
    } catch (error) {
      if (!(error instanceof PageError)) throw error
      return { error: { code: 400, description: error.message } }
    }
  }

  #aboutAccount(
    server: MonitoredServer,
    asking: Account,
    who: string,
    what: string,
    options: PageOptions,
  ): object | null {
    const { accounts } = server.frontend
    if (asking.isSystem && who === 'PING') {
      if (what !== 'STATZ') return null
      const wanted = options.get('accounts')
      const names = Array.isArray(wanted) ? wanted : [...accounts].map(({ name }) => name)
      const found = [...accounts].filter(({ name }) => names.includes(name))
      return { data: { server_id: server.frontend.serverId, statz: found.map(accountStatz) } }
    }
    const name = asking.isSystem ? who : asking.name
    const account = [...accounts].find((one) => one.name === name)
    if (account === undefined) return null
    if (what === 'CONNZ') return { data: connz(server, options, name) }
    if (what === 'SUBSZ') return { data: subsz(server, options, name) }
    if (what === 'INFO') return { data: accountInfo(account, server) }
    if (what === 'CONNS') return { data: accountStatz(account) }
    if (what !== 'STATZ') return null
    return { data: { server_id: server.frontend.serverId, accounts: [accountStatz(account)] } }
  }
}

/** The requests of one account. */
class AccountRequests implements Subscriber {
  readonly #requests: SystemRequests
  readonly #account: Account

  constructor(requests: SystemRequests, account: Account) {
    this.#requests = requests
    this.#account = account
  }

  deliver(_subscription: Subscription, message: PublishedMessage, publisher: Subscriber): boolean {
    return this.#requests.answer(this.#account, message, publisher)
  }

  /** What is asked in other accounts is a service of the system's, which does not let others trace. */
  deliverTraced(
    subscription: Subscription,
    message: PublishedMessage,
    publisher: Subscriber,
    _shared: SharedTail,
    trace: MessageTrace,
  ): boolean {
    const { isSystem, name } = this.#account
    if (!isSystem) {
      const from = message.subject()
      const [, , about = '', , what = 'INFO'] = from.split('.')
      const group = about === 'USER' ? 'USER' : 'ACCOUNT'
      trace.serviceImported(trace.systemAccount, from, `$SYS.REQ.${group}.${name}.${what}`)
      if (trace.isOnly) return false
    }
    return this.deliver(subscription, message, publisher)
  }
}

/** @returns null for what is no JSON */
function optionsOf(payload: Buffer): PageOptions | null {
  if (payload.byteLength === 0) return NO_OPTIONS
  try {
    const given: unknown = JSON.parse(payload.toString('utf8'))
    return new Map(Object.entries(given as object))
  } catch {
    // The client is told.
    return null
  }
}

/** Source: UserInfo of nats-server. */
function userInfo(publisher: Subscriber): object {
  const identity = publisher instanceof NatsSession ? publisher.identity : null
  if (identity === null) return {}
  const { user, userTag, account, permissions, expiry } = identity
  return {
    user,
    account: account.name,
    ...(account.title !== '' && { account_name: account.title }),
    ...(userTag !== '' && { user_name: userTag }),
    ...(permissions !== null && { permissions: permissionsJson(permissions.rules) }),
    ...(expiry !== null && {
      expires: Math.max(expiry.atMs - Date.now(), 0) * NANOSECONDS_PER_MS,
    }),
  }
}

function permissionsJson({ publish, subscribe, responses }: PermissionRules): object {
  return {
    publish: rulesJson(publish),
    subscribe: rulesJson(subscribe),
    ...(responses !== null && {
      responses: { max: responses.maxCount, ttl: responses.ttlMs * NANOSECONDS_PER_MS },
    }),
  }
}

function rulesJson({ allow, deny }: SubjectRules): object {
  return {
    ...(allow !== null && { allow }),
    ...(deny.length > 0 && { deny }),
  }
}
