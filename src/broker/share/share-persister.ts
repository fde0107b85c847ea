import { ErrorCode } from '../../base/error-code.ts'
import type { Scheduler } from '../../ports/scheduler.ts'
import type { ShareCoordinator } from './coordinator/share-coordinator.ts'
import type { SharePartitionKey } from './coordinator/share-partition-key.ts'
import type {
  ReadShareStateResult,
  ShareOutcome,
  ShareStateSummary,
  ShareStateWrite,
} from './coordinator/share-state.ts'

/** Pauses before the next try; together longer than it takes to create the topic. */
const RETRY_PAUSES_MS = [50, 100, 200, 400, 800, 1600]

const RETRIABLE = new Set<ErrorCode>([
  ErrorCode.COORDINATOR_NOT_AVAILABLE,
  ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
  ErrorCode.NOT_COORDINATOR,
])

/** The share coordinator as others use it: what it can't do yet is tried again for some seconds. */
export class SharePersister {
  readonly #coordinator: ShareCoordinator
  readonly #scheduler: Scheduler

  constructor(coordinator: ShareCoordinator, scheduler: Scheduler) {
    this.#coordinator = coordinator
    this.#scheduler = scheduler
  }

  initializeState(
    key: SharePartitionKey,
    stateEpoch: number,
    startOffset: number,
  ): Promise<ShareOutcome> {
    return this.#insist(() => this.#coordinator.initializeState(key, stateEpoch, startOffset))
  }

  readState(key: SharePartitionKey, leaderEpoch: number): Promise<ReadShareStateResult> {
    return this.#insist(() => this.#coordinator.readState(key, leaderEpoch))
  }

  writeState(key: SharePartitionKey, write: ShareStateWrite): Promise<ShareOutcome> {
    return this.#insist(() => this.#coordinator.writeState(key, write))
  }

  deleteState(key: SharePartitionKey): Promise<ShareOutcome> {
    return this.#insist(() => this.#coordinator.deleteState(key))
  }

  readSummary(key: SharePartitionKey): Promise<ShareStateSummary> {
    return this.#insist(() => this.#coordinator.readSummary(key))
  }

  async #insist<T extends ShareOutcome>(call: () => Promise<T>): Promise<T> {
    for (const pauseMs of RETRY_PAUSES_MS) {
      const outcome = await call()
      if (!RETRIABLE.has(outcome.errorCode)) return outcome
      // Creates the topic if that is what is missing.
      this.#coordinator.locate()
      await new Promise<void>((resolve) => {
        this.#scheduler.after(pauseMs, resolve)
      })
    }
    return call()
  }
}
