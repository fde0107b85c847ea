import { isSubset } from '../../broker/subjects/subject-subset.ts'
import type { Timer } from '../../ports/scheduler.ts'
import type { Account } from './account.ts'
import type { Accounts } from './accounts.ts'
import { atTime, type TimePorts } from './at-time.ts'
import type { ExportSettings, ImportSettings, SecuritySettings } from './auth/security-settings.ts'
import { ServiceImport } from './service-import.ts'
import { StreamImport } from './stream-import.ts'
import { reversed, withoutReferences } from './subject-mapping.ts'
import { Subscription } from './subscription.ts'

/** What stands for one import of an account. */
interface Bridge {
  readonly account: Account
  readonly subscription: Subscription
  /** Of interest on the other side. */
  readonly watch?: { stop(): void }
}

/** The subjects that accounts share by exports and imports. */
export class SharedSubjects {
  readonly #accounts: Accounts
  readonly #ports: TimePorts
  readonly #bridges = new Set<Bridge>()
  #timers: Timer[] = []

  constructor(accounts: Accounts, ports: TimePorts) {
    this.#accounts = accounts
    this.#ports = ports
  }

  /** Accounts share what the settings say. What they shared before is over. */
  apply(settings: SecuritySettings): void {
    for (const timer of this.#timers) timer.cancel()
    this.#timers = []
    for (const bridge of this.#bridges) this.#end(bridge)
    const nowMs = this.#ports.clock.nowMs()
    for (const { name, imports } of settings.accounts) {
      const importer = this.#accounts.get(name)
      for (const wanted of imports) {
        const { fromMs = 0, untilMs = null } = wanted.validity ?? {}
        if (nowMs < fromMs || (untilMs !== null && nowMs >= untilMs)) continue
        const bridge = this.#bridge(importer, wanted, settings)
        this.#bridges.add(bridge)
        if (untilMs === null) continue
        this.#timers.push(atTime(untilMs, this.#ports, () => this.#end(bridge)))
      }
    }
    for (const { account, subscription } of this.#bridges) {
      account.router.insert(subscription.subject, subscription.queue, subscription)
    }
    for (const account of this.#accounts) account.isSystem = account.name === settings.systemAccount
    this.#accounts.get(settings.systemAccount).isSystem = true
  }

  #end(bridge: Bridge): void {
    const { account, subscription, watch } = bridge
    this.#bridges.delete(bridge)
    watch?.stop()
    subscription.isEnded = true
    account.router.remove(subscription.subject, subscription.queue, subscription)
  }

  #bridge(importer: Account, wanted: ImportSettings, settings: SecuritySettings): Bridge {
    const { subject, localSubject } = wanted
    const exporter = this.#accounts.get(wanted.account)
    if (wanted.kind === 'stream') {
      const subscriber = new StreamImport(importer, wanted)
      const subscription = new Subscription(subscriber, subject, '', '')
      return { account: exporter, subscription, watch: subscriber.watch(exporter) }
    }
    const local = withoutReferences(localSubject)
    const subjects = { local, exported: reversed(localSubject, subject) }
    const terms = settings.accounts
      .filter(({ name }) => name === wanted.account)
      .flatMap(({ exports }) => exports.filter((one) => isOfService(one, subject)))
    const subscriber = new ServiceImport(importer, exporter, subjects, {
      answersOften: terms.some((one) => one.answersOften),
      allowsTrace: terms.some((one) => one.allowsTrace === true),
    })
    return { account: importer, subscription: new Subscription(subscriber, local, '', '') }
  }
}

function isOfService({ kind, subject }: ExportSettings, wanted: string): boolean {
  return kind === 'service' && isSubset(wanted, subject)
}
