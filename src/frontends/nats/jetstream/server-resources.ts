import type { StreamRefusal } from '../../../broker/jetstream/stream/stream-refusal.ts'
import { SerialTasks } from '../../../broker/serial-tasks.ts'
import type { AccountLimits } from '../auth/account-limits.ts'
import type { JetStreamSettings } from './jetstream-settings.ts'
import type { JetStreamUsage } from './jetstream-usage.ts'
import { type Budget, ServerBudget } from './storage-budget.ts'

export const NO_MEMORY: StreamRefusal = {
  code: 500,
  err_code: 10028,
  description: 'insufficient memory resources available',
}
export const NO_STORAGE: StreamRefusal = {
  code: 500,
  err_code: 10047,
  description: 'insufficient storage resources available',
}

type Stats = JetStreamUsage['stats']
/** Bytes that an account may have; -1: as many as there are. */
type Promised = Pick<AccountLimits, 'max_memory' | 'max_storage'>

/** What streams of all accounts take, against what the server has for them. */
export class ServerResources {
  /** null: there is no limit. */
  readonly memory: Budget | null
  readonly storage: Budget | null
  readonly #settings: JetStreamSettings
  readonly #accounts: (() => Stats)[] = []
  readonly #tasks = new SerialTasks()

  constructor(settings: JetStreamSettings) {
    const { maxMemory, maxStorage } = settings
    this.#settings = settings
    const held = (name: keyof Stats) => () => this.#sumOf(name)
    this.memory = maxMemory < 0 ? null : new ServerBudget(maxMemory, held('memory'))
    this.storage = maxStorage < 0 ? null : new ServerBudget(maxStorage, held('storage'))
  }

  /** Counts an account from now on. */
  add(stats: () => Stats): void {
    this.#accounts.push(stats)
  }

  /** Who asks for something here, and then takes it, does so before the next one asks. */
  inTurn<T>(task: () => Promise<T>): Promise<T> {
    return this.#tasks.run(task)
  }

  /**
   * Whether a stream may reserve more than it does.
   * Source: checkBytesLimits of nats-server.
   */
  refusalOf(isMemory: boolean, moreBytes: number): StreamRefusal | null {
    const { maxMemory, maxStorage } = this.#settings
    const limit = isMemory ? maxMemory : maxStorage
    if (limit < 0) return null
    const reserved = this.#sumOf(isMemory ? 'reserved_memory' : 'reserved_storage')
    if (reserved + moreBytes <= limit) return null
    return isMemory ? NO_MEMORY : NO_STORAGE
  }

  /**
   * Whether the server has what an account is promised, besides what others are promised.
   * @param present limits of accounts that have streams already
   * Source: sufficientResources of nats-server.
   */
  promiseRefusal(limits: Promised, present: readonly Promised[]): StreamRefusal | null {
    const all = [...present, limits]
    const sum = (name: keyof Promised): number =>
      all.reduce((bytes, one) => bytes + Math.max(0, one[name]), 0)
    const { maxMemory, maxStorage } = this.#settings
    if (maxMemory >= 0 && sum('max_memory') > maxMemory) return NO_MEMORY
    return maxStorage >= 0 && sum('max_storage') > maxStorage ? NO_STORAGE : null
  }

  #sumOf(name: keyof Stats): number {
    return this.#accounts.reduce((sum, stats) => sum + stats()[name], 0)
  }
}
