import { SystemRandom } from '../../adapters/system-random.ts'
import { ConfigError } from '../../base/errors.ts'
import { BatchQuota } from '../../broker/jetstream/stream/batch/batch-quota.ts'
import { SerialTasks } from '../../broker/serial-tasks.ts'
import { isOverlap } from '../../broker/subjects/subject-overlap.ts'
import { type Account, GLOBAL_ACCOUNT } from '../../frontends/nats/account.ts'
import type { Accounts } from '../../frontends/nats/accounts.ts'
import { type AccountLimits, UNLIMITED } from '../../frontends/nats/auth/account-limits.ts'
import type { SecuritySettings } from '../../frontends/nats/auth/security-settings.ts'
import { refuseJetStream } from '../../frontends/nats/jetstream/disabled-jetstream.ts'
import { DomainSubjects } from '../../frontends/nats/jetstream/domain-subjects.ts'
import { JetStream } from '../../frontends/nats/jetstream/jetstream.ts'
import type { JetStreamSettings } from '../../frontends/nats/jetstream/jetstream-settings.ts'
import { ServerResources } from '../../frontends/nats/jetstream/server-resources.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Logger } from '../../ports/logger.ts'
import type { Scheduler } from '../../ports/scheduler.ts'
import type { AccountStreams, JetStreamServices } from '../jetstream-services.ts'

export interface JetStreamAccountsPorts {
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly logger: Logger
}

/** JetStream of each account that has it. */
export class JetStreamAccounts {
  /** Of clients that name no account. */
  readonly global: JetStream
  readonly #accounts: Accounts
  readonly #services: JetStreamServices
  readonly #settings: JetStreamSettings
  readonly #ports: JetStreamAccountsPorts
  readonly #served = new Map<string, JetStream>()
  readonly #tasks = new SerialTasks()
  readonly #batchQuota = new BatchQuota()
  readonly #resources: ServerResources
  #refusals: { stop(): void }[] = []

  constructor(
    accounts: Accounts,
    services: JetStreamServices,
    settings: JetStreamSettings,
    ports: JetStreamAccountsPorts,
  ) {
    this.#accounts = accounts
    this.#services = services
    this.#settings = settings
    this.#ports = ports
    this.#resources = new ServerResources(settings)
    this.global = this.#serve(GLOBAL_ACCOUNT, UNLIMITED, services.global)
  }

  /**
   * Serves the accounts that the settings give streams; those that had them before keep them as they
   * were until the server starts again.
   * @throws ConfigError for an account that is promised more than the server has, unless an operator did
   * @throws StorageError when what was kept can't be read
   */
  apply(settings: SecuritySettings): Promise<void> {
    return this.#tasks.run(() => this.#apply(settings))
  }

  /** Those that have it now. */
  *all(): Iterable<JetStream> {
    yield this.global
    yield* this.#served.values()
  }

  close(): void {
    this.global.close()
    for (const served of this.#served.values()) served.close()
  }

  async #apply(settings: SecuritySettings): Promise<void> {
    for (const refusal of this.#refusals) refusal.stop()
    const refused: string[] = []
    for (const { name, jetStream, imports, hasTiers = false } of settings.accounts) {
      if (name === GLOBAL_ACCOUNT || this.#served.has(name)) continue
      const isImported = imports.some(
        ({ kind, localSubject }) => kind === 'service' && isOverlap(localSubject, API),
      )
      if (jetStream !== null) {
        if (!this.#hasRoomFor(name, jetStream, settings)) continue
        const its = await this.#services.account(name)
        this.#served.set(name, this.#serve(name, jetStream, its, hasTiers))
      } else if (!isImported && name !== settings.systemAccount) refused.push(name)
    }
    const { scheduler } = this.#ports
    this.#refusals = refused.flatMap((name) => {
      const account = this.#accounts.get(name)
      return [refuseJetStream(account, scheduler), ...this.#inDomain(account)]
    })
  }

  /** Where an operator promised an account more than there is, nobody answers its requests, as in nats-server. */
  #hasRoomFor(name: string, limits: AccountLimits, { operator }: SecuritySettings): boolean {
    const others = [...this.#served.values()].map((served) => served.limits)
    const lack = this.#resources.promiseRefusal(limits, others)
    if (lack === null) return true
    const reason = lack.description
    if (operator?.accountClaims.has(name) !== true) {
      throw new ConfigError(`account ${name} can't have its streams: ${reason}`)
    }
    this.#ports.logger.error('an account has no streams', { account: name, reason })
    return false
  }

  #inDomain(account: Account): { stop(): void }[] {
    const { domain } = this.#settings
    return domain === '' ? [] : [new DomainSubjects(account, domain)]
  }

  #serve(name: string, limits: AccountLimits, its: AccountStreams, hasTiers = false): JetStream {
    const { clock, scheduler, logger } = this.#ports
    const account = this.#accounts.get(name)
    this.#inDomain(account)
    const { streams, consumerStore } = its
    return new JetStream({
      ...{ streams, consumerStore, limits, hasTiers, clock, scheduler, logger },
      account,
      settings: this.#settings,
      resources: this.#resources,
      keptConsumersOf: (stream) => its.keptConsumersOf(stream),
      random: new SystemRandom(),
      batchQuota: this.#batchQuota,
    })
  }
}

const API = '$JS.API.>'
