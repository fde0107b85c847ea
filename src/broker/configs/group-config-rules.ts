import { ErrorCode } from '../../base/error-code.ts'
import { BrokerError } from '../../base/errors.ts'
import type { BrokerConfig } from './broker-config.ts'
import { listOf, validate } from './config-validation.ts'
import { groupConfigDefinitions } from './group-config-definitions.ts'

/** Broker configs that bound one of a group; null: no bound on that side. */
type Bounds = readonly [name: string, min: string | null, max: string | null]

const bounded = (protocol: string, what: string): Bounds => [
  `${protocol}.${what}`,
  `group.${protocol}.min.${what}`,
  `group.${protocol}.max.${what}`,
]

const BOUNDS: readonly Bounds[] = [
  bounded('consumer', 'heartbeat.interval.ms'),
  bounded('consumer', 'session.timeout.ms'),
  bounded('consumer', 'assignment.interval.ms'),
  bounded('share', 'heartbeat.interval.ms'),
  bounded('share', 'session.timeout.ms'),
  bounded('share', 'record.lock.duration.ms'),
  bounded('share', 'delivery.count.limit'),
  bounded('share', 'assignment.interval.ms'),
  [
    'share.partition.max.record.locks',
    'group.share.min.partition.max.record.locks',
    'group.share.max.partition.max.record.locks',
  ],
  bounded('streams', 'heartbeat.interval.ms'),
  bounded('streams', 'session.timeout.ms'),
  bounded('streams', 'assignment.interval.ms'),
  ['streams.num.standby.replicas', null, 'group.streams.max.standby.replicas'],
  ['streams.task.offset.interval.ms', 'group.streams.min.task.offset.interval.ms', null],
  ['streams.num.warmup.replicas', null, 'group.streams.max.warmup.replicas'],
]

/** `earliest`, `latest`, or a duration of ISO 8601 in days and smaller units. */
const AUTO_OFFSET_RESET =
  /^(earliest|latest|by_duration:P(?=\d|T\d)(\d+D)?(T(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?)$/i

/**
 * Checks all values that are, or will be, set for a group.
 * @throws BrokerError INVALID_CONFIG in Kafka's words
 */
export function validateGroupConfigs(
  values: ReadonlyMap<string, string>,
  broker: BrokerConfig,
): void {
  const definitions = groupConfigDefinitions()
  for (const name of values.keys()) {
    if (!definitions.has(name)) throw invalid(`Unknown group config name: ${name}`)
  }
  checkTags(values.get('streams.rack.aware.assignment.tags'))
  for (const [name, value] of values) {
    const definition = definitions.get(name)
    if (definition !== undefined) validate(definition, value)
  }
  checkReset(values.get('share.auto.offset.reset'))
  for (const bounds of BOUNDS) checkBounds(bounds, values, broker)
  checkAssignor(values.get('streams.assignor.name'), broker)
  for (const protocol of ['consumer', 'share', 'streams']) checkSession(protocol, values, broker)
  if (values.get('errors.deadletterqueue.topic.name')?.startsWith('__') === true) {
    throw invalid("errors.deadletterqueue.topic.name: DLQ topic name must not start with '__'")
  }
}

/** The number that is set for a group, within the bounds as they are now; undefined: none is set. */
export function boundedGroupValue(
  name: string,
  values: ReadonlyMap<string, string>,
  broker: BrokerConfig,
): number | undefined {
  const value = values.get(name)
  if (value === undefined) return undefined
  const [, min, max] = BOUNDS.find(([other]) => other === name) ?? [name, null, null]
  const low = min === null ? Number.NEGATIVE_INFINITY : broker.getInt(min)
  const high = max === null ? Number.POSITIVE_INFINITY : broker.getInt(max)
  return Math.max(low, Math.min(Number(value), high))
}

function checkBounds(
  [name, min, max]: Bounds,
  values: ReadonlyMap<string, string>,
  broker: BrokerConfig,
): void {
  const value = values.get(name)
  if (value === undefined) return
  const low = min === null ? null : broker.getInt(min)
  const high = max === null ? null : broker.getInt(max)
  const isLow = low !== null && Number(value) < low
  const isHigh = high !== null && Number(value) > high
  if (!isLow && !isHigh) return
  if (low === null) throw invalid(`${name} must be less than or equal to ${high}`)
  if (high === null) throw invalid(`${name} must be greater than or equal to ${low}`)
  throw invalid(`${name} must be in the range ${low} to ${high} inclusive.`)
}

function checkTags(value: string | undefined): void {
  const tags = listOf(value ?? '')
  if (new Set(tags).size === tags.length) return
  throw invalid('streams.rack.aware.assignment.tags must not contain duplicate tag keys.')
}

function checkReset(value: string | undefined): void {
  if (value === undefined || AUTO_OFFSET_RESET.test(value)) return
  const name = 'share.auto.offset.reset'
  throw invalid(
    `Invalid value ${value} for configuration ${name}: Invalid value \`${value}\` for ` +
      `configuration ${name}. The value must be either 'earliest', 'latest' or of the format ` +
      "'by_duration:<PnDTnHnMn.nS>'.",
  )
}

function checkAssignor(value: string | undefined, broker: BrokerConfig): void {
  const known = broker.getList('group.streams.assignors')
  if (value === undefined || known.includes(value)) return
  throw invalid(
    `streams.assignor.name '${value}' is not a registered task assignor. ` +
      `Registered assignors are: [${known.join(', ')}].`,
  )
}

/** A session has to outlast a heartbeat interval, or every member would be thrown out. */
function checkSession(
  protocol: string,
  values: ReadonlyMap<string, string>,
  broker: BrokerConfig,
): void {
  const session = `${protocol}.session.timeout.ms`
  const heartbeat = `${protocol}.heartbeat.interval.ms`
  if (!values.has(session) && !values.has(heartbeat)) return
  const numberOf = (name: string): number =>
    Number(values.get(name) ?? broker.getInt(`group.${name}`))
  if (numberOf(session) <= numberOf(heartbeat)) {
    throw invalid(`${session} must be greater than ${heartbeat}`)
  }
}

const invalid = (message: string): BrokerError => new BrokerError(ErrorCode.INVALID_CONFIG, message)
