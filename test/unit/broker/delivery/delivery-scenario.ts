import { errorName } from '../../../../src/base/error-code.ts'
import {
  type DeliveryLimits,
  DeliveryState,
  type OffsetSpan,
  type StateBatch,
} from '../../../../src/broker/delivery/delivery-state.ts'
import { DeliveryUpdate } from '../../../../src/broker/delivery/delivery-update.ts'
import { DeliveryWindow } from '../../../../src/broker/delivery/delivery-window.ts'
import { type Command, milliseconds } from '../../support/scenario-script.ts'

const STATE_NAMES = Object.fromEntries(
  Object.entries(DeliveryState).map(([name, state]) => [state, name.toLowerCase()]),
)
const TYPES: Readonly<Record<string, number>> = {
  gap: 0,
  accept: 1,
  release: 2,
  reject: 3,
  renew: 4,
}

type Verb = (command: Command) => void

/**
 * Commands of a script against a delivery window: consumers that ask for records and say what became
 * of them, a disk that keeps what changed, and time.
 */
export class DeliveryScenario {
  #nowMs = 1
  #batches: OffsetSpan[] = []
  #limits: DeliveryLimits = {
    maxInFlightCount: 2_000,
    maxDeliveryCount: 5,
    lockDurationMs: () => 30_000,
    hasDeadLetters: false,
  }
  #window = DeliveryWindow.restore(0, [], () => this.#limits)
  #lines: string[] = []
  #isDiskSlow = false
  #waiting: DeliveryUpdate[] = []
  /** What a disk would hold: where the group starts, and each record that was told of. */
  #keptStart = 0
  #kept = new Map<number, { state: DeliveryState; deliveryCount: number }>()

  readonly #verbs: Readonly<Record<string, Verb>> = {
    log: ({ plain }) => {
      this.#batches = plain.map(spanOf)
    },
    limits: (command) => this.#configure(command),
    take: (command) => this.#take(command),
    ack: (command) => this.#acknowledge(command),
    leave: ({ plain: [owner = ''] }) => this.#change(this.#window.releaseAll(owner)),
    wait: ({ plain: [time = ''] }) => this.#wait(milliseconds(time)),
    'log-start': ({ plain: [offset = ''] }) => {
      this.#window.logStartMoved(Number(offset))
      this.#batches = this.#batches.filter(({ lastOffset }) => lastOffset >= Number(offset))
    },
    'dead-lettered': ({ plain: [span = ''] }) =>
      this.#change(this.#window.archiveDeadLetters(spanOf(span))),
    'disk-slow': () => {
      this.#isDiskSlow = true
    },
    'disk-catches-up': () => this.#flush(true),
    'disk-fails': () => this.#flush(false),
    restart: () => this.#restart(),
    show: () => this.#show(),
  }

  async run(command: Command): Promise<string[]> {
    this.#lines = []
    const verb = this.#verbs[command.verb]
    if (verb === undefined) throw new Error(`no command ${command.verb}`)
    verb(command)
    return this.#lines
  }

  #configure({ named, plain }: Command): void {
    const lock = named.get('lock')?.split(',').map(milliseconds)
    const { maxInFlightCount, maxDeliveryCount, lockDurationMs } = this.#limits
    this.#limits = {
      maxInFlightCount: Number(named.get('in-flight') ?? maxInFlightCount),
      maxDeliveryCount: Number(named.get('deliveries') ?? maxDeliveryCount),
      lockDurationMs:
        lock === undefined ? lockDurationMs : (count) => lock[count - 1] ?? lock.at(-1) ?? 0,
      hasDeadLetters: plain.includes('dead-letters') || this.#limits.hasDeadLetters,
    }
  }

  #take({ plain: [owner = '', ...words], named }: Command): void {
    const window = this.#window
    const fetchOffset = window.nextFetchOffset(this.#nowMs)
    if (!window.canAcquire(this.#nowMs)) {
      this.#lines.push(`${owner} gets nothing: too many in flight`)
      return
    }
    const batches = this.#batches.filter(({ lastOffset }) => lastOffset >= fetchOffset)
    const missing = named.get('aborted')?.split(',').map(spanOf)
    const { spans } = window.acquire(
      {
        owner,
        fetchOffset,
        batches,
        isRecordLimit: words.includes('strict'),
        batchSize: Number(named.get('batch') ?? 500),
        maxRecordCount: Number(named.get('max') ?? 500),
      },
      this.#nowMs,
      missing,
    )
    const given = spans.map((span) => `${textOf(span)} x${span.deliveryCount}`)
    this.#lines.push(`${owner} gets ${given.join(', ') || 'nothing'}`)
  }

  #acknowledge({ plain: [owner = '', ...words], named }: Command): void {
    const batches = words.map((word) => {
      const [span = '', types = ''] = word.split(':')
      return { ...spanOf(span), types: types.split(',').map((name) => TYPES[name] ?? 9) }
    })
    const releaseDelayMs = milliseconds(named.get('delay') ?? '0')
    const request = { owner, batches, canRenew: true, releaseDelayMs }
    const outcome = this.#window.acknowledge(request, this.#nowMs)
    if (outcome instanceof DeliveryUpdate) this.#change(outcome)
    else this.#lines.push(`${errorName(outcome.errorCode)} ${outcome.errorMessage}`)
  }

  #wait(durationMs: number): void {
    const endMs = this.#nowMs + durationMs
    while (this.#window.nextDueMs <= endMs) {
      this.#nowMs = this.#window.nextDueMs
      this.#change(this.#window.expire(this.#nowMs))
    }
    this.#nowMs = endMs
  }

  #change(update: DeliveryUpdate): void {
    for (const batch of update.batches) {
      const { state, deliveryCount } = batch
      this.#lines.push(`keep ${textOf(batch)} ${STATE_NAMES[state]} x${deliveryCount}`)
    }
    for (const letter of update.deadLetters) {
      this.#lines.push(`dead letter ${textOf(letter)} ${letter.cause}`)
    }
    if (this.#isDiskSlow) this.#waiting.push(update)
    else this.#settle(update, true)
  }

  #flush(isDurable: boolean): void {
    this.#isDiskSlow = false
    for (const update of this.#waiting.splice(0)) this.#settle(update, isDurable)
  }

  #settle(update: DeliveryUpdate, isDurable: boolean): void {
    if (isDurable) {
      this.#keptStart = this.#window.startOffset
      for (const { firstOffset, lastOffset, state, deliveryCount } of update.batches) {
        for (let offset = firstOffset; offset <= lastOffset; offset++) {
          this.#kept.set(offset, { state, deliveryCount })
        }
      }
    }
    const before = this.#window.startOffset
    this.#window.settle(update, isDurable, this.#nowMs)
    if (this.#window.startOffset > before) {
      this.#lines.push(`start ${this.#window.startOffset}`)
    }
  }

  #restart(): void {
    const batches: StateBatch[] = []
    for (const [offset, kept] of [...this.#kept].sort(([a], [b]) => a - b)) {
      if (offset < this.#keptStart) continue
      const last = batches.at(-1)
      const isSame = last?.state === kept.state && last.deliveryCount === kept.deliveryCount
      if (last !== undefined && isSame && last.lastOffset === offset - 1) {
        batches[batches.length - 1] = { ...last, lastOffset: offset }
      } else {
        batches.push({ firstOffset: offset, lastOffset: offset, ...kept })
      }
    }
    this.#window = DeliveryWindow.restore(this.#keptStart, batches, () => this.#limits)
    this.#waiting = []
    this.#show()
  }

  #show(): void {
    const { startOffset, completeCount, inFlightCount, nextDueMs } = this.#window
    const next = this.#window.nextFetchOffset(this.#nowMs)
    const due = Number.isFinite(nextDueMs) ? ` due in ${nextDueMs - this.#nowMs} ms` : ''
    this.#lines.push(
      `start ${startOffset}, ${inFlightCount} in flight, ${completeCount} complete, next ${next}${due}`,
    )
  }
}

function spanOf(text: string): OffsetSpan {
  const [first = '', last = first] = text.split('-')
  return { firstOffset: Number(first), lastOffset: Number(last) }
}

const textOf = ({ firstOffset, lastOffset }: OffsetSpan): string =>
  firstOffset === lastOffset ? `${firstOffset}` : `${firstOffset}-${lastOffset}`
