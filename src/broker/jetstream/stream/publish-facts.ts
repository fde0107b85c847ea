/** What the headers of a message ask of the stream. Texts have one character for each byte. */
export interface PublishFacts {
  readonly messageId: string
  readonly expectedStream: string
  /** null: not asked; NaN: not a number, which no sequence is */
  readonly expectedLastSequence: number | null
  readonly expectedLastSubjectSequence: number | null
  /** The subject of the sequence, when it is not that of the message; may have wildcards. */
  readonly expectedSubject: string
  readonly expectedLastMessageId: string
  readonly rollup: string
  /** As it came; empty: none. */
  readonly ttl: string
  readonly streamSource: string
  readonly increment: string
  readonly batchId: string
  /** null: not there; NaN: not a number */
  readonly batchSequence: number | null
  /** null: not there */
  readonly batchCommit: string | null
  readonly requiredApiLevel: string
  readonly schedule: string
  readonly scheduleTarget: string
  readonly scheduleSource: string
  readonly scheduleTtl: string
  readonly scheduleTimeZone: string
  readonly scheduleRollup: string
  readonly scheduleNext: string
  /** The subject of the schedule that made it. */
  readonly scheduler: string
  /** Why a subject has no messages any more, in a message of the server that says so. */
  readonly markerReason: string
  readonly kvOperation: string
}

/** Of a message without headers. */
export const NO_FACTS: PublishFacts = {
  messageId: '',
  expectedStream: '',
  expectedLastSequence: null,
  expectedLastSubjectSequence: null,
  expectedSubject: '',
  expectedLastMessageId: '',
  rollup: '',
  ttl: '',
  streamSource: '',
  increment: '',
  batchId: '',
  batchSequence: null,
  batchCommit: null,
  requiredApiLevel: '',
  schedule: '',
  scheduleTarget: '',
  scheduleSource: '',
  scheduleTtl: '',
  scheduleTimeZone: '',
  scheduleRollup: '',
  scheduleNext: '',
  scheduler: '',
  markerReason: '',
  kvOperation: '',
}

const FIELDS: ReadonlyMap<string, keyof PublishFacts> = new Map([
  ['Nats-Msg-Id', 'messageId'],
  ['Nats-Expected-Stream', 'expectedStream'],
  ['Nats-Expected-Last-Sequence', 'expectedLastSequence'],
  ['Nats-Expected-Last-Subject-Sequence', 'expectedLastSubjectSequence'],
  ['Nats-Expected-Last-Subject-Sequence-Subject', 'expectedSubject'],
  ['Nats-Expected-Last-Msg-Id', 'expectedLastMessageId'],
  ['Nats-Rollup', 'rollup'],
  ['Nats-TTL', 'ttl'],
  ['Nats-Stream-Source', 'streamSource'],
  ['Nats-Incr', 'increment'],
  ['Nats-Batch-Id', 'batchId'],
  ['Nats-Batch-Sequence', 'batchSequence'],
  ['Nats-Batch-Commit', 'batchCommit'],
  ['Nats-Required-Api-Level', 'requiredApiLevel'],
  ['Nats-Schedule', 'schedule'],
  ['Nats-Schedule-Target', 'scheduleTarget'],
  ['Nats-Schedule-Source', 'scheduleSource'],
  ['Nats-Schedule-TTL', 'scheduleTtl'],
  ['Nats-Schedule-Time-Zone', 'scheduleTimeZone'],
  ['Nats-Schedule-Rollup', 'scheduleRollup'],
  ['Nats-Schedule-Next', 'scheduleNext'],
  ['Nats-Scheduler', 'scheduler'],
  ['Nats-Marker-Reason', 'markerReason'],
  ['KV-Operation', 'kvOperation'],
])

const NUMBERS: ReadonlySet<keyof PublishFacts> = new Set([
  'expectedLastSequence',
  'expectedLastSubjectSequence',
  'batchSequence',
])

const BEGINNINGS = ['Nats-', 'KV-']

const DIGITS = /^\d{1,15}$/

/** @param headers the whole block */
export function publishFactsOf(headers: Buffer | null): PublishFacts {
  // All of them begin so: most messages have none.
  if (headers === null || !BEGINNINGS.some((text) => headers.includes(text, 0, 'latin1'))) {
    return NO_FACTS
  }
  const found: { -readonly [K in keyof PublishFacts]?: string | number } = {}
  for (const line of headers.toString('latin1').split('\r\n')) {
    const colon = line.indexOf(':')
    const field = colon === -1 ? undefined : FIELDS.get(line.slice(0, colon))
    // The first of several counts.
    if (field === undefined || found[field] !== undefined) continue
    const value = line.slice(colon + 1).trim()
    // An empty commit is not none.
    if (value === '' && field !== 'batchCommit') continue
    found[field] = NUMBERS.has(field) ? numberOf(value) : value
  }
  return { ...NO_FACTS, ...(found as Partial<PublishFacts>) }
}

/** Whether the message says that its subject has no others any more. Source: nats-server's sdm.go. */
export function isDeleteMarker({ markerReason, kvOperation }: PublishFacts): boolean {
  return markerReason !== '' || kvOperation === 'PURGE'
}

function numberOf(text: string): number {
  return DIGITS.test(text) ? Number(text) : Number.NaN
}

const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-9,
  us: 1e-6,
  µs: 1e-6,
  ms: 1e-3,
  s: 1,
  m: 60,
  h: 3600,
}
const DURATION = /^(?:(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h))+$/
const DURATION_PARTS = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/g

/**
 * Seconds of a TTL: whole seconds, or a duration as Go writes it. 0: none; Infinity: never;
 * null: not valid. Source: parseMessageTTL of nats-server.
 */
export function ttlSecondsOf(text: string): number | null {
  if (text === '') return 0
  if (text.toLowerCase() === 'never') return Number.POSITIVE_INFINITY
  if (DIGITS.test(text)) return Number(text)
  const seconds = durationSecondsOf(text)
  return seconds === null || seconds < 1 ? null : Math.floor(seconds)
}

/** Seconds of a duration as Go writes it, which is not negative; null for other texts. */
export function durationSecondsOf(text: string): number | null {
  if (!DURATION.test(text)) return null
  let seconds = 0
  for (const [, amount, unit = 's'] of text.matchAll(DURATION_PARTS)) {
    seconds += Number(amount) * (UNITS[unit] ?? 1)
  }
  return seconds
}
