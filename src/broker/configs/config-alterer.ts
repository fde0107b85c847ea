import { ErrorCode } from '../../base/error-code.ts'
import { BrokerError } from '../../base/errors.ts'
import {
  ConfigResourceType,
  type MetadataChange,
  type MetadataStore,
} from '../../ports/metadata-store.ts'
import type { SerialTasks } from '../serial-tasks.ts'
import { problemOfTopicName } from '../topics/topic-name.ts'
import type { BrokerConfig } from './broker-config.ts'
import { checkBrokerResource, validateBrokerConfigs } from './broker-config-rules.ts'
import { type ConfigDefinition, ConfigType } from './config-definition.ts'
import { brokerConfigDefinitions, topicConfigDefinitions } from './config-tables.ts'
import { listOf } from './config-validation.ts'
import { validateGroupConfigs } from './group-config-rules.ts'
import { validateTopicConfigs } from './topic-config-rules.ts'

/** What IncrementalAlterConfigs does to a value (KIP-339). */
export const AlterOperation = { SET: 0, DELETE: 1, APPEND: 2, SUBTRACT: 3 } as const

export interface ConfigAlteration {
  readonly name: string
  /** One of `AlterOperation`; other numbers are refused. */
  readonly operation: number
  readonly value: string | null
}

export interface AlteredResource {
  /** One of `ConfigResourceType`; other numbers are refused. */
  readonly type: number
  readonly resourceName: string
  readonly alterations: readonly ConfigAlteration[]
}

export interface AlterOutcome {
  readonly type: number
  readonly resourceName: string
  readonly errorCode: ErrorCode
  readonly errorMessage: string | null
}

/** Configs of groups grow by no APPEND: Kafka does not know there which of them are lists. */
const NO_DEFINITIONS: ReadonlyMap<string, ConfigDefinition> = new Map()

/** Kafka's number of the resource type for the levels of its loggers. */
const BROKER_LOGGER = 8

/** Changes configs. Every resource succeeds or fails by itself, as a whole. */
export class ConfigAlterer {
  readonly #metadata: MetadataStore
  readonly #config: BrokerConfig
  readonly #tasks: SerialTasks

  /** @param tasks shared by all that check the metadata and then change it */
  constructor(metadata: MetadataStore, config: BrokerConfig, tasks: SerialTasks) {
    this.#metadata = metadata
    this.#config = config
    this.#tasks = tasks
  }

  /**
   * @param replacesAll AlterConfigs: what is not named goes back to its default
   * @param isDryRun only checks
   */
  alter(
    resources: readonly AlteredResource[],
    replacesAll: boolean,
    isDryRun: boolean,
  ): Promise<AlterOutcome[]> {
    return this.#tasks.run(async () => {
      const changes: MetadataChange[] = []
      const outcomes = resources.map((resource) => {
        const { type, resourceName } = resource
        try {
          if (resources.some((other) => other !== resource && isSame(other, resource))) {
            throw invalidRequest('Each resource must appear at most once.')
          }
          changes.push(...this.#changesOf(resource, replacesAll))
          return { type, resourceName, errorCode: ErrorCode.NONE, errorMessage: null }
        } catch (error) {
          if (!(error instanceof BrokerError)) throw error
          return { type, resourceName, errorCode: error.code, errorMessage: error.message }
        }
      })
      if (!isDryRun && changes.length > 0) await this.#metadata.commit(changes)
      return outcomes
    })
  }

  #changesOf(resource: AlteredResource, replacesAll: boolean): MetadataChange[] {
    const { type, resourceName, alterations } = resource
    checkAlterations(alterations)
    const definitions = this.#checkResource(resource, replacesAll)
    const resourceType = type as ConfigResourceType
    const before = this.#metadata.image.configs(resourceType, resourceName)
    const after = new Map(replacesAll ? [] : before)
    for (const alteration of alterations) {
      const value = this.#valueAfter(alteration, definitions, after)
      if (value === null) after.delete(alteration.name)
      else after.set(alteration.name, value)
    }
    if (type === ConfigResourceType.TOPIC) validateTopicConfigs(after, this.#config)
    else if (type === ConfigResourceType.GROUP) validateGroupConfigs(after, this.#config)
    else validateBrokerConfigs(resourceName, before, after)
    const names = new Set([...before.keys(), ...after.keys()])
    const changes: MetadataChange[] = []
    for (const name of names) {
      const value = after.get(name) ?? null
      if (value === (before.get(name) ?? null)) continue
      changes.push({ kind: 'configSet', type: resourceType, resourceName, name, value })
    }
    return changes
  }

  #checkResource(
    { type, resourceName, alterations }: AlteredResource,
    replacesAll: boolean,
  ): ReadonlyMap<string, ConfigDefinition> {
    if (type === ConfigResourceType.TOPIC) {
      const problem = problemOfTopicName(resourceName)
      if (problem !== null) throw new BrokerError(ErrorCode.INVALID_TOPIC_EXCEPTION, problem)
      if (!this.#metadata.image.topics.has(resourceName)) {
        throw new BrokerError(
          ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
          `The topic '${resourceName}' does not exist.`,
        )
      }
      return topicConfigDefinitions()
    }
    if (type === ConfigResourceType.BROKER) {
      checkBrokerResource(resourceName, this.#metadata.image.nodeId)
      return brokerConfigDefinitions()
    }
    if (type === BROKER_LOGGER && !replacesAll) {
      const logger = alterations[0]?.name ?? ''
      throw new BrokerError(ErrorCode.INVALID_CONFIG, `Logger ${logger} does not exist!`)
    }
    if (type === ConfigResourceType.GROUP) {
      if (resourceName === '') throw invalidRequest('Default group resources are not allowed.')
      return NO_DEFINITIONS
    }
    if (type === ConfigResourceType.CLIENT_METRICS) {
      throw invalidRequest('This broker has no configs of client metrics.')
    }
    throw invalidRequest(`Unknown resource type ${type}`)
  }

  #valueAfter(
    { name, operation, value }: ConfigAlteration,
    definitions: ReadonlyMap<string, ConfigDefinition>,
    after: ReadonlyMap<string, string>,
  ): string | null {
    switch (operation) {
      case AlterOperation.SET:
        return value
      case AlterOperation.DELETE:
        return null
      case AlterOperation.APPEND:
      case AlterOperation.SUBTRACT: {
        const isAppend = operation === AlterOperation.APPEND
        const definition = definitions.get(name)
        if (definition?.type !== ConfigType.LIST) {
          throw new BrokerError(
            ErrorCode.INVALID_CONFIG,
            `Can't ${isAppend ? 'APPEND to' : 'SUBTRACT from'} key ${name} because its type is ` +
              'not LIST.',
          )
        }
        const entries = listOf(after.get(name) ?? this.#defaultOf(definition))
        const given = listOf(value ?? '')
        if (!isAppend) return entries.filter((entry) => !given.includes(entry)).join(',')
        return [...new Set([...entries, ...given])].join(',')
      }
      default:
        throw new BrokerError(
          ErrorCode.UNKNOWN_SERVER_ERROR,
          `Unknown operation type ${operation} for config ${name}`,
        )
    }
  }

  /** Lists grow from what applies when nothing is set for the resource. */
  #defaultOf({ name, brokerName, defaultValue }: ConfigDefinition): string {
    if (brokerName !== null) return this.#config.getString(brokerName)
    return brokerConfigDefinitions().has(name) ? this.#config.getString(name) : (defaultValue ?? '')
  }
}

function checkAlterations(alterations: readonly ConfigAlteration[]): void {
  if (new Set(alterations.map(({ name }) => name)).size < alterations.length) {
    throw invalidRequest('Error due to duplicate config keys')
  }
  const nulls = alterations.filter(
    ({ operation, value }) => operation !== AlterOperation.DELETE && value === null,
  )
  if (nulls.length === 0) return
  const names = nulls.map(({ name }) => name).join(', ')
  throw invalidRequest(`Null value not supported for : ${names}`)
}

const isSame = (a: AlteredResource, b: AlteredResource): boolean =>
  a.type === b.type && a.resourceName === b.resourceName

const invalidRequest = (message: string): BrokerError =>
  new BrokerError(ErrorCode.INVALID_REQUEST, message)
