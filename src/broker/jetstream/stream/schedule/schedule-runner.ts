import type { Clock } from '../../../../ports/clock.ts'
import type { Logger } from '../../../../ports/logger.ts'
import type { Scheduler, Timer } from '../../../../ports/scheduler.ts'
import { withHeaders } from '../message-headers.ts'
import { publishFactsOf } from '../publish-facts.ts'
import type { NewMessage } from '../record-mapping.ts'
import type { StreamConfig } from '../stream-config.ts'
import type { PublishDone } from '../stream-publisher.ts'
import type { StoredMessage, StreamReader } from '../stream-reader.ts'
import type { Schedule, ScheduleBook } from './schedule-book.ts'
import { dueAgain, PURGE_SCHEDULE, parseSchedule } from './schedule-pattern.ts'
import { isOfStream } from './schedule-rules.ts'

/** Headers of a schedule that its messages don't have, or that would stop them. */
const LEFT_OUT = /^(?:Nats-Schedule|Nats-Expected-|(?:Nats-Msg-Id|Nats-TTL|Nats-Rollup):)/

const EMPTY_BLOCK = 'NATS/1.0\r\n\r\n'

/** Timers may be a little early, and no timer is longer than this. */
const MIN_DELAY_MS = 10
const MAX_DELAY_MS = 3_600_000

/** After a failure. */
const RETRY_MS = 1000

export interface ScheduleRunnerOptions {
  readonly book: ScheduleBook
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly logger: Logger
  readonly reader: Pick<StreamReader, 'read'>
  readonly config: () => StreamConfig
  readonly lastOf: (subject: string) => number
  readonly publish: (message: NewMessage, done: PublishDone) => void
}

/** Stores the messages of schedules when their time comes. Source: ADR-51; scheduler.go of nats-server. */
export class ScheduleRunner {
  readonly #options: ScheduleRunnerOptions
  #timer: Timer | null = null
  #timerMs = Number.POSITIVE_INFINITY
  #isClosed = false

  constructor(options: ScheduleRunnerOptions) {
    this.#options = options
  }

  /** Schedules came or changed. */
  arm(): void {
    const { book, clock, scheduler, config } = this.#options
    const nextMs = book.nextMs
    if (this.#isClosed || !mayRun(config())) {
      this.#cancel()
      return
    }
    if (nextMs >= this.#timerMs) return
    this.#cancel()
    this.#timerMs = nextMs
    const delayMs = Math.min(Math.max(nextMs - clock.nowMs(), MIN_DELAY_MS), MAX_DELAY_MS)
    this.#timer = scheduler.after(delayMs, () => {
      this.#cancel()
      this.#run(book.take(clock.nowMs()), 0)
    })
  }

  close(): void {
    this.#isClosed = true
    this.#cancel()
  }

  #cancel(): void {
    this.#timer?.cancel()
    this.#timer = null
    this.#timerMs = Number.POSITIVE_INFINITY
  }

  /** One after the other, so that their messages come in order. */
  #run(due: readonly Schedule[], at: number): void {
    const schedule = due[at]
    if (this.#isClosed) return
    if (schedule === undefined) {
      this.arm()
      return
    }
    const next = (): void => this.#run(due, at + 1)
    this.#read(schedule.sequence, schedule, next, (stored) => {
      const { scheduleSource } = publishFactsOf(stored.headers)
      const source = scheduleSource === '' ? 0 : this.#options.lastOf(scheduleSource)
      if (source === 0) {
        this.#emit(schedule, stored, stored)
        next()
        return
      }
      this.#read(source, schedule, next, (content) => {
        this.#emit(schedule, stored, content)
        next()
      })
    })
  }

  #read(
    sequence: number,
    schedule: Schedule,
    next: () => void,
    then: (message: StoredMessage) => void,
  ): void {
    this.#options.reader.read([sequence], (error, [message]) => {
      if (error === null && message !== null && message !== undefined) {
        then(message)
        return
      }
      this.#postpone(schedule)
      next()
    })
  }

  #emit(schedule: Schedule, stored: StoredMessage, content: StoredMessage): void {
    const { publish, config, clock, logger } = this.#options
    const facts = publishFactsOf(stored.headers)
    const { scheduleTarget: subject, scheduleTtl, scheduleRollup } = facts
    const pattern = parseSchedule(facts.schedule, facts.scheduleTimeZone)
    if (typeof pattern === 'string' || !isOfStream(subject, config())) return
    const again = pattern.isRepeated ? dueAgain(pattern, schedule.dueMs, clock.nowMs()) : null
    if (pattern.isRepeated && again === null) return
    const added: [string, string][] = [
      ['Nats-Scheduler', schedule.subject],
      ['Nats-Schedule-Next', again === null ? PURGE_SCHEDULE : pattern.textOf(again)],
    ]
    if (scheduleTtl !== '') added.push(['Nats-TTL', scheduleTtl])
    if (scheduleRollup !== '') added.push(['Nats-Rollup', scheduleRollup])
    const headers = withHeaders(keptHeaders(content.headers), added)
    publish({ subject, headers, payload: content.payload }, (outcome) => {
      if (!('err_code' in outcome)) return
      const { name } = config()
      logger.warn('a scheduled message was refused', {
        ...{ stream: name, schedule: schedule.subject, error: outcome.description },
      })
      // What was too much for the moment is tried again; the message itself does not change.
      if (outcome.code >= 500) this.#postpone(schedule)
    })
  }

  #postpone(schedule: Schedule): void {
    const { book, clock } = this.#options
    book.postpone(schedule, clock.nowMs() + RETRY_MS)
    this.arm()
  }
}

function mayRun({ allow_msg_schedules, sealed, mirror }: StreamConfig): boolean {
  return allow_msg_schedules === true && !sealed && mirror === undefined
}

function keptHeaders(block: Buffer | null): Buffer | null {
  if (block === null) return null
  const lines = block.toString('latin1').split('\r\n')
  const kept = lines.filter((line) => !LEFT_OUT.test(line)).join('\r\n')
  return kept === EMPTY_BLOCK ? null : Buffer.from(kept, 'latin1')
}
