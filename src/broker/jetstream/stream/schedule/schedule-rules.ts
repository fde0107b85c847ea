import { isPublishable } from '../../../subjects/subject.ts'
import { isOverlap } from '../../../subjects/subject-overlap.ts'
import { withHeaders } from '../message-headers.ts'
import { type PublishFacts, ttlSecondsOf } from '../publish-facts.ts'
import type { NewMessage } from '../record-mapping.ts'
import type { StreamConfig } from '../stream-config.ts'
import { invalidConfig, type StreamRefusal, StreamRefusals } from '../stream-refusal.ts'
import { PURGE_SCHEDULE, parseSchedule } from './schedule-pattern.ts'

/** Source: errors.json of nats-server. */
export const ScheduleRefusals = {
  mirror: refusal(10186, 'stream mirrors can not also schedule messages'),
  sources: refusal(10187, 'stream source can not also schedule messages'),
  pattern: refusal(10189, 'message schedules pattern is invalid'),
  target: refusal(10190, 'message schedules target is invalid'),
  ttl: refusal(10191, 'message schedules invalid per-message TTL'),
  rollup: refusal(10192, 'message schedules invalid rollup'),
  source: refusal(10203, 'message schedules source is invalid'),
  scheduler: refusal(10212, 'message schedules invalid scheduler'),
  timeZone: refusal(10223, 'message schedules time zone is invalid'),
} as const

function refusal(err_code: number, description: string): StreamRefusal {
  return { code: 400, err_code, description }
}

/** What a subject has, also on its way. */
interface Scheduled {
  lastOf(subject: string): number
  mayBeSchedule(subject: string): boolean
}

/**
 * What is wrong with the headers of a schedule, or of a message that ends one; null: nothing.
 * @param nowMs a pattern has to have a next time
 * Source: processJetStreamMsg of nats-server.
 */
export function checkSchedule(
  message: NewMessage,
  facts: PublishFacts,
  config: StreamConfig,
  scheduled: Scheduled,
  nowMs: number,
): StreamRefusal | null {
  const { schedule, scheduleTimeZone } = facts
  if (schedule !== '' || scheduleTimeZone !== '') {
    const problem = patternRefusal(facts, nowMs)
    const isAllowed = config.allow_msg_schedules === true
    if (!isAllowed && (schedule !== '' || problem !== null)) return StreamRefusals.schedulesDisabled
    if (problem !== null) return problem
  }
  const wrong = schedule === '' ? null : checkNewSchedule(message, facts, config)
  return wrong ?? checkScheduler(message, facts, config, scheduled)
}

function patternRefusal(facts: PublishFacts, nowMs: number): StreamRefusal | null {
  // A zone alone is looked at too.
  const pattern = parseSchedule(
    facts.schedule === '' ? '@hourly' : facts.schedule,
    facts.scheduleTimeZone,
  )
  if (pattern === 'time zone') return ScheduleRefusals.timeZone
  return pattern === 'pattern' || pattern.after(nowMs) === null ? ScheduleRefusals.pattern : null
}

function checkNewSchedule(
  { subject }: NewMessage,
  facts: PublishFacts,
  config: StreamConfig,
): StreamRefusal | null {
  const { scheduleTtl, scheduleRollup, scheduleTarget: target, scheduleSource: source } = facts
  if (ttlSecondsOf(scheduleTtl) === null) return ScheduleRefusals.ttl
  if (scheduleRollup !== '' && scheduleRollup !== 'sub') return ScheduleRefusals.rollup
  if (scheduleTtl !== '' && !config.allow_msg_ttl) return StreamRefusals.ttlDisabled
  if (!isSubject(target) || target === subject) return ScheduleRefusals.target
  const isOther = source !== target && source !== subject
  if (source !== '' && !(isOther && isSubject(source))) return ScheduleRefusals.source
  if (!isOfStream(target, config)) return ScheduleRefusals.target
  if (source !== '' && !isOfStream(source, config)) return ScheduleRefusals.source
  return facts.rollup === '' || facts.rollup === 'sub' ? null : ScheduleRefusals.rollup
}

/** Clients may name a schedule only to end it. */
function checkScheduler(
  { subject }: NewMessage,
  { scheduleNext, scheduler }: PublishFacts,
  config: StreamConfig,
  scheduled: Scheduled,
): StreamRefusal | null {
  if (scheduleNext === '') return scheduler === '' ? null : ScheduleRefusals.scheduler
  if (scheduleNext !== PURGE_SCHEDULE) return ScheduleRefusals.scheduler
  if (scheduler === subject || !isSubject(scheduler)) return ScheduleRefusals.scheduler
  if (config.allow_msg_schedules !== true) return StreamRefusals.schedulesDisabled
  // Where there is nothing, nothing is ended.
  const isOther = scheduled.lastOf(scheduler) !== 0 && !scheduled.mayBeSchedule(scheduler)
  return isOther ? ScheduleRefusals.scheduler : null
}

/** Whether a message may go there when its time has come. */
export function isOfStream(subject: string, { subjects = [] }: StreamConfig): boolean {
  return isSubject(subject) && subjects.some((one) => isOverlap(one, subject))
}

function isSubject(text: string): boolean {
  return text !== '' && !/\s/.test(text) && isPublishable(text)
}

/** A schedule takes the place of the one before it on its subject. */
export function asSchedule(message: NewMessage, facts: PublishFacts): NewMessage {
  if (facts.schedule === '' || facts.rollup !== '') return message
  return { ...message, headers: withHeaders(message.headers, [['Nats-Rollup', 'sub']]) }
}

/** Fills in what schedules need. Source: checkStreamCfg of nats-server. */
export function withSchedules(
  config: StreamConfig,
  isPedantic: boolean,
): StreamConfig | StreamRefusal {
  if (config.allow_msg_schedules !== true) return config
  if (config.discard === 'new') return invalidConfig('message scheduling cannot use discard new')
  if (config.allow_rollup_hdrs) return config
  if (isPedantic) {
    return invalidConfig('message scheduling cannot be set if roll-ups are disabled')
  }
  return { ...config, allow_rollup_hdrs: true, deny_purge: false }
}
