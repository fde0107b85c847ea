import { ErrorCode } from '../../../src/base/error-code.ts'
import { expect } from '../world/sim-failure.ts'
import type { KafkaClient } from './kafka-client.ts'
import type { Session } from './session.ts'

/** A member that was heard of since may not be unknown; the session is some seconds longer. */
const SAFE_SESSION_MS = 40_000
const RETRIABLE: ReadonlySet<ErrorCode> = new Set([
  ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
  ErrorCode.COORDINATOR_NOT_AVAILABLE,
  ErrorCode.NOT_COORDINATOR,
])
export const NOT_JOINED = -1

/** A member of a group, through all lives of the broker: what it was told must be known to the next. */
export abstract class GroupMember {
  readonly groupId: string
  memberId: string
  /** Epoch or generation that the member was told; -1: it has to join. */
  protected epoch = NOT_JOINED
  protected session!: Session
  protected client!: KafkaClient
  #lastContactMs = 0
  /** Since the last success; each may have given it another epoch. */
  #unheardCount = 0

  constructor(groupId: string, memberId: string) {
    this.groupId = groupId
    this.memberId = memberId
  }

  /** The broker is there again. */
  begin(session: Session, client: KafkaClient): void {
    this.session = session
    this.client = client
    // Sessions begin anew with the broker.
    this.#lastContactMs = session.machine.clock.monotonicMs()
    this.#run().catch((error: Error) => session.machine.fail(error))
  }

  /** @returns the error that the broker gave */
  protected abstract join(): Promise<ErrorCode>
  protected abstract heartbeat(): Promise<ErrorCode>

  /** True while the group must count with it. */
  isSafe(nowMs: number): boolean {
    return this.epoch !== NOT_JOINED && nowMs - this.#lastContactMs <= SAFE_SESSION_MS
  }

  protected trace(line: () => string): void {
    const { groupId, memberId } = this
    this.session.machine.trace(() => `${groupId} ${memberId} (${this.epoch}): ${line()}`)
  }

  async #run(): Promise<void> {
    const { machine, random, core } = this.session
    for (;;) {
      const isJoining = this.epoch === NOT_JOINED
      if (isJoining) core.groups.locate(this.groupId)
      this.#unheardCount++
      const errorCode = await (isJoining ? this.join() : this.heartbeat())
      this.trace(() => `${isJoining ? 'join' : 'heartbeat'} is told ${errorCode}`)
      const nowMs = machine.clock.monotonicMs()
      if (errorCode === ErrorCode.NONE) {
        this.#lastContactMs = nowMs
        this.#unheardCount = 0
      } else if (errorCode === ErrorCode.REBALANCE_IN_PROGRESS) this.epoch = NOT_JOINED
      else if (!isJoining && !RETRIABLE.has(errorCode)) {
        // The broker knows the epoch before the last one too (KIP-848), but none before that.
        const isBehind = errorCode === ErrorCode.FENCED_MEMBER_EPOCH && this.#unheardCount > 2
        expect(
          isBehind || nowMs - this.#lastContactMs > SAFE_SESSION_MS,
          () => `${this.groupId}: ${this.memberId} in epoch ${this.epoch} got ${errorCode}`,
        )
        this.epoch = NOT_JOINED
      }
      const delayMs = 10 + random.int(100)
      await new Promise<void>((resolve) => void machine.scheduler.after(delayMs, resolve))
    }
  }
}
