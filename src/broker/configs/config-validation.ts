import { ErrorCode } from '../../base/error-code.ts'
import { BrokerError } from '../../base/errors.ts'
import { type ConfigDefinition, ConfigType } from './config-definition.ts'

/** Ranges of the integer types; long limits are Kafka's and beyond what a number holds exactly. */
const MAX: Readonly<Record<number, bigint>> = {
  [ConfigType.SHORT]: 2n ** 15n - 1n,
  [ConfigType.INT]: 2n ** 31n - 1n,
  [ConfigType.LONG]: 2n ** 63n - 1n,
}
const TYPE_NAMES: Readonly<Record<number, string>> = {
  [ConfigType.SHORT]: 'SHORT',
  [ConfigType.INT]: 'INT',
  [ConfigType.LONG]: 'LONG',
  [ConfigType.DOUBLE]: 'DOUBLE',
}

/**
 * Checks a value as Kafka does.
 * @returns null, or what is wrong with it in Kafka's words
 */
export function problemOf(definition: ConfigDefinition, value: string): string | null {
  const why = problemOfType(definition.type, value) ?? problemOfRange(definition, value.trim())
  if (why === null) return null
  const shown = definition.isSensitive ? '[hidden]' : value
  return `Invalid value ${shown} for configuration ${definition.name}: ${why}`
}

/** @throws BrokerError INVALID_CONFIG when the value does not fit */
export function validate(definition: ConfigDefinition, value: string): void {
  const problem = problemOf(definition, value)
  if (problem !== null) throw new BrokerError(ErrorCode.INVALID_CONFIG, problem)
}

/** The entries of a list value, in order. An empty text is an empty list. */
export function listOf(value: string): string[] {
  const trimmed = value.trim()
  return trimmed === '' ? [] : trimmed.split(/\s*,\s*/)
}

function problemOfType(type: ConfigType, value: string): string | null {
  const trimmed = value.trim()
  switch (type) {
    case ConfigType.BOOLEAN:
      return /^(true|false)$/i.test(trimmed) ? null : 'Expected value to be either true or false'
    case ConfigType.SHORT:
    case ConfigType.INT:
    case ConfigType.LONG: {
      if (/^[+-]?\d{1,30}$/.test(trimmed)) {
        const number = BigInt(trimmed.replace('+', ''))
        const max = MAX[type] as bigint
        if (number <= max && number >= -max - 1n) return null
      }
      return `Not a number of type ${TYPE_NAMES[type]}`
    }
    case ConfigType.DOUBLE:
      return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(trimmed)
        ? null
        : `Not a number of type ${TYPE_NAMES[type]}`
    default:
      return null
  }
}

function problemOfRange(definition: ConfigDefinition, value: string): string | null {
  const { valid, type } = definition
  const bounds = /^\[(-?[\d.]+),\.\.\.(?:,(-?[\d.]+))?\]( or -1)?$/.exec(valid)
  if (bounds !== null) return problemOfBounds(value, bounds[1], bounds[2], bounds[3] !== undefined)
  if (valid === 'non-empty string') return value === '' ? 'String must be non-empty' : null
  if (valid === 'non-empty list' && value === '') return 'Configuration can not be empty'
  const isThrottled = valid.startsWith('[partitionId]')
  if (isThrottled) return problemOfThrottledReplicas(definition.name, value)
  const names = /^(\(case insensitive\) )?\[([^\]]+)\]$/.exec(valid)
  if (names === null) return null
  const known = (names[2] as string).split(', ')
  const isAnyCase = names[1] !== undefined
  const given = type === ConfigType.LIST ? listOf(value) : [value]
  if (given.every((one) => known.includes(isAnyCase ? one.toUpperCase() : one))) return null
  return `String must be one of${isAnyCase ? ' (case insensitive)' : ''}: ${known.join(', ')}`
}

function problemOfBounds(
  value: string,
  low: string | undefined,
  high: string | undefined,
  isMinusOneFine: boolean,
): string | null {
  const number = Number(value)
  if (isMinusOneFine) {
    const isFine = number === -1 || (number >= Number(low) && number <= Number(high))
    return isFine ? null : `Value must be between ${low} and ${high} or equal to -1`
  }
  if (low !== undefined && number < Number(low)) return `Value must be at least ${low}`
  if (high !== undefined && number > Number(high)) return `Value must be no more than ${high}`
  return null
}

function problemOfThrottledReplicas(name: string, value: string): string | null {
  const isFine =
    value === '' || value === '*' || listOf(value).every((entry) => /^\d+:\d+$/.test(entry))
  if (isFine) return null
  return (
    `${name} must be the literal '*' or a list of replicas in the following format: ` +
    '[partitionId]:[brokerId],[partitionId]:[brokerId],...'
  )
}
