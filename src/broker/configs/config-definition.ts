/** Types of config values, with the numbers that DescribeConfigs gives them (KIP-569). */
export const ConfigType = {
  BOOLEAN: 1,
  STRING: 2,
  INT: 3,
  SHORT: 4,
  LONG: 5,
  DOUBLE: 6,
  LIST: 7,
  CLASS: 8,
  PASSWORD: 9,
} as const
export type ConfigType = (typeof ConfigType)[keyof typeof ConfigType]

export const { BOOLEAN, STRING, INT, SHORT, LONG, DOUBLE, LIST, CLASS, PASSWORD } = ConfigType

/** The config can be changed while the broker runs; the others are read at its start. */
export const DYNAMIC = 'dynamic'

/**
 * One config of the broker. `valid` is Kafka's print form of the values it takes, see `validate`;
 * empty or missing: anything of the type. A default of null means that there is none.
 */
export type BrokerConfigRow = readonly [
  name: string,
  type: ConfigType,
  defaultValue: string | null,
  valid?: string,
  dynamic?: typeof DYNAMIC,
]

/** One config of a topic; `brokerName` names the broker config that gives its default. */
export type TopicConfigRow = readonly [
  name: string,
  type: ConfigType,
  defaultValue: string | null,
  valid: string,
  brokerName: string | null,
]

export interface ConfigDefinition {
  readonly name: string
  readonly type: ConfigType
  /** null: no value unless one is set. */
  readonly defaultValue: string | null
  /** Kafka's print form of the values it takes; empty: anything of the type. */
  readonly valid: string
  /** Can't be changed while the broker runs. */
  readonly isReadOnly: boolean
  /** Never shown, never logged. */
  readonly isSensitive: boolean
  /** Taken, but not among the configs that are shown. */
  readonly isInternal: boolean
  /** For a topic config: the broker config its default comes from, if there is one. */
  readonly brokerName: string | null
}

export function definitionOfBroker(row: BrokerConfigRow, isInternal = false): ConfigDefinition {
  const [name, type, defaultValue, valid = '', dynamic] = row
  const isReadOnly = dynamic !== DYNAMIC
  return {
    name,
    type,
    defaultValue,
    valid,
    isReadOnly,
    isSensitive: type === PASSWORD,
    isInternal,
    brokerName: null,
  }
}

export function definitionOfTopic(row: TopicConfigRow): ConfigDefinition {
  const [name, type, defaultValue, valid, brokerName] = row
  return {
    name,
    type,
    defaultValue,
    valid,
    isReadOnly: false,
    isSensitive: false,
    isInternal: false,
    brokerName,
  }
}
