import { isSubset } from '../../broker/subjects/subject-subset.ts'
import type { Account } from './account.ts'
import type { Accounts } from './accounts.ts'
import type { ExportSettings, ImportSettings, SecuritySettings } from './auth/security-settings.ts'
import { ServiceImport } from './service-import.ts'
import { StreamImport } from './stream-import.ts'
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
  #bridges: Bridge[] = []

  constructor(accounts: Accounts) {
    this.#accounts = accounts
  }

  /** Accounts share what the settings say. What they shared before is over. */
  apply(settings: SecuritySettings): void {
    for (const { account, subscription, watch } of this.#bridges) {
      watch?.stop()
      subscription.isEnded = true
      account.router.remove(subscription.subject, subscription.queue, subscription)
    }
    this.#bridges = settings.accounts.flatMap(({ name, imports }) => {
      const importer = this.#accounts.get(name)
      return imports.map((wanted) => this.#bridge(importer, wanted, settings))
    })
    for (const { account, subscription } of this.#bridges) {
      account.router.insert(subscription.subject, subscription.queue, subscription)
    }
    for (const account of this.#accounts) account.isSystem = account.name === settings.systemAccount
    this.#accounts.get(settings.systemAccount).isSystem = true
  }

  #bridge(importer: Account, wanted: ImportSettings, settings: SecuritySettings): Bridge {
    const { subject, localSubject } = wanted
    const exporter = this.#accounts.get(wanted.account)
    if (wanted.kind === 'stream') {
      const subscriber = new StreamImport(importer, wanted)
      const subscription = new Subscription(subscriber, subject, '', '')
      return { account: exporter, subscription, watch: subscriber.watch(exporter) }
    }
    const subjects = { local: localSubject, exported: subject }
    const terms = settings.accounts
      .filter(({ name }) => name === wanted.account)
      .flatMap(({ exports }) => exports.filter((one) => isOfService(one, subject)))
    const subscriber = new ServiceImport(importer, exporter, subjects, {
      answersOften: terms.some((one) => one.answersOften && one.subject === subject),
      allowsTrace: terms.some((one) => one.allowsTrace === true),
    })
    return { account: importer, subscription: new Subscription(subscriber, localSubject, '', '') }
  }
}

function isOfService({ kind, subject }: ExportSettings, wanted: string): boolean {
  return kind === 'service' && isSubset(wanted, subject)
}
