import { type ConsumerConfig, toMs } from './consumer-config.ts'
import type { ConsumerOutput } from './consumer-ports.ts'
import type { DeliveryTarget, Recipient } from './delivery-target.ts'
import { FlowControl } from './flow-control.ts'
import { type Status, status } from './status.ts'

export interface PushTargetPorts {
  readonly config: () => ConsumerConfig
  readonly output: ConsumerOutput
  heartbeat(): Status
  /** A subject for the client's answer, that nobody can guess. */
  newFlowSubject(): string
  /** Interest came or went. */
  changed(): void
}

/** What is sent at once before the client is looked at again. */
const PORTION = 256

/** Messages go to one subject, as long as somebody listens there. */
export class PushTarget implements DeliveryTarget {
  readonly #ports: PushTargetPorts
  readonly #flow = new FlowControl()
  #subject = ''
  #watch: { stop(): void } | null = null
  #isBound = false
  #nextHeartbeatMs = Number.POSITIVE_INFINITY

  constructor(ports: PushTargetPorts) {
    this.#ports = ports
  }

  get nextDueMs(): number {
    return this.#isBound ? this.#nextHeartbeatMs : Number.POSITIVE_INFINITY
  }

  get isInUse(): boolean {
    return this.#isBound
  }

  get wantedCount(): number {
    const isBlocked = this.#ports.config().flow_control === true && this.#flow.isBlocked
    return this.#isBound && !isBlocked ? PORTION : 0
  }

  /** Where the client's answer is awaited; empty: nowhere. */
  get stalledBy(): string {
    return this.#flow.asked
  }

  /** Looks who listens; the subject of the consumer may be another one now. */
  bind(nowMs: number): void {
    const { deliver_subject: subject = '' } = this.#ports.config()
    if (subject !== this.#subject) {
      this.#watch?.stop()
      this.#subject = subject
      this.#watch = this.#ports.output.watchInterest(subject, () => this.#ports.changed())
    }
    const wasBound = this.#isBound
    this.#isBound = this.#ports.output.hasInterest(subject)
    if (this.#isBound && !wasBound) this.#restHeartbeat(nowMs)
  }

  choose(): Recipient | null {
    return this.wantedCount > 0 ? { to: this.#subject, pinId: '' } : null
  }

  sent(_recipient: Recipient, byteCount: number, isFull: boolean, nowMs: number): void {
    this.#restHeartbeat(nowMs)
    const { flow_control: hasFlowControl, ack_policy: policy } = this.#ports.config()
    if (!hasFlowControl) return
    if (this.#flow.sent(byteCount, isFull && policy === 'flow_control')) this.#ask()
  }

  passed(_isAtEnd: boolean, nowMs: number): void {
    if (!this.#isBound || nowMs < this.#nextHeartbeatMs) return
    this.#ports.output.status(this.#subject, this.#ports.heartbeat())
    this.#restHeartbeat(nowMs)
  }

  /** The client read what was sent. @returns false for an answer to something else */
  flowAnswered(subject: string): boolean {
    return this.#flow.answered(subject)
  }

  close(): void {
    this.#watch?.stop()
    this.#isBound = false
  }

  #ask(): void {
    const reply = this.#ports.newFlowSubject()
    this.#flow.ask(reply)
    this.#ports.output.status(this.#subject, { ...status(100, 'FlowControl Request'), reply })
  }

  #restHeartbeat(nowMs: number): void {
    const everyMs = toMs(this.#ports.config().idle_heartbeat)
    this.#nextHeartbeatMs = everyMs > 0 ? nowMs + everyMs : Number.POSITIVE_INFINITY
  }
}
