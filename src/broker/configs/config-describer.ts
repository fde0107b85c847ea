import { ErrorCode } from '../../base/error-code.ts'
import { BrokerError } from '../../base/errors.ts'
import { ConfigResourceType, type MetadataStore } from '../../ports/metadata-store.ts'
import { problemOfTopicName } from '../topics/topic-name.ts'
import { type BrokerConfig, ConfigSource, type ConfigSynonym } from './broker-config.ts'
import type { ConfigDefinition, ConfigType } from './config-definition.ts'
import { brokerConfigDefinitions, topicConfigDefinitions } from './config-tables.ts'
import { hasEffect } from './configs-without-effect.ts'
import { isChangeable } from './dynamic-configs.ts'
import { groupConfigDefinitions } from './group-config-definitions.ts'
import { TopicConfig } from './topic-config.ts'

/** One config as DescribeConfigs shows it. */
export interface DescribedConfig {
  readonly name: string
  /** null: none, or sensitive. */
  readonly value: string | null
  readonly isReadOnly: boolean
  readonly source: ConfigSource
  readonly isSensitive: boolean
  readonly synonyms: readonly ConfigSynonym[]
  readonly type: ConfigType
}

/** Shows configs with where they come from (KIP-133, KIP-226). */
export class ConfigDescriber {
  readonly #metadata: MetadataStore
  readonly #config: BrokerConfig

  constructor(metadata: MetadataStore, config: BrokerConfig) {
    this.#metadata = metadata
    this.#config = config
  }

  /**
   * @param keys names to show; null: all
   * @throws BrokerError INVALID_TOPIC_EXCEPTION, UNKNOWN_TOPIC_OR_PARTITION
   */
  topic(name: string, keys: readonly string[] | null): DescribedConfig[] {
    const problem = problemOfTopicName(name)
    if (problem !== null) throw new BrokerError(ErrorCode.INVALID_TOPIC_EXCEPTION, problem)
    const { image } = this.#metadata
    if (!image.topics.has(name)) throw new BrokerError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, '')
    const values = image.configs(ConfigResourceType.TOPIC, name)
    return describeTopicConfig(new TopicConfig(values, this.#config), keys)
  }

  /**
   * @param resourceName the id of this broker, or '' for what is set for all brokers
   * @throws BrokerError INVALID_REQUEST for another id
   */
  broker(resourceName: string, keys: readonly string[] | null): DescribedConfig[] {
    const { nodeId } = this.#metadata.image
    if (resourceName === '') return this.#clusterDefaults(keys)
    if (!/^-?\d+$/.test(resourceName)) {
      throw invalidRequest(`Broker id must be an integer, but it is: ${resourceName}`)
    }
    if (Number(resourceName) !== nodeId) {
      throw invalidRequest(
        `Unexpected broker id, expected ${nodeId} or empty string, but received ${resourceName}`,
      )
    }
    const definitions = chosen(brokerConfigDefinitions(), keys)
    return definitions.map((one) => this.#describe(one, this.#config.synonyms(one.name)))
  }

  /**
   * @param groupId of any group, there or not
   * @throws BrokerError INVALID_REQUEST for an empty name
   */
  group(groupId: string, keys: readonly string[] | null): DescribedConfig[] {
    if (groupId === '') throw invalidRequest('Group name must not be empty')
    const values = this.#metadata.image.configs(ConfigResourceType.GROUP, groupId)
    return chosen(groupConfigDefinitions(), keys).map(
      ({ name, type, brokerName, defaultValue }) => {
        const own = values.get(name)
        const synonyms: ConfigSynonym[] =
          brokerName === null
            ? [{ name, value: defaultValue, source: ConfigSource.DEFAULT }]
            : this.#config.synonyms(brokerName)
        if (own !== undefined) synonyms.unshift({ name, value: own, source: ConfigSource.GROUP })
        const [winner] = synonyms
        return {
          ...{ name, type, synonyms, isReadOnly: false, isSensitive: false },
          value: winner?.value ?? null,
          source: winner?.source ?? ConfigSource.DEFAULT,
        }
      },
    )
  }

  #clusterDefaults(keys: readonly string[] | null): DescribedConfig[] {
    const set = this.#metadata.image.configs(ConfigResourceType.BROKER, '')
    const definitions = chosen(brokerConfigDefinitions(), keys).filter(({ name }) => set.has(name))
    return definitions.map((one) => {
      const value = set.get(one.name) ?? null
      const source = ConfigSource.DYNAMIC_DEFAULT_BROKER
      return this.#describe(one, [{ name: one.name, value, source }])
    })
  }

  #describe(definition: ConfigDefinition, synonyms: readonly ConfigSynonym[]): DescribedConfig {
    const { name, type, isSensitive } = definition
    return {
      name,
      value: isSensitive ? null : (synonyms[0]?.value ?? null),
      isReadOnly: !isChangeable(name),
      source: synonyms[0]?.source ?? ConfigSource.DEFAULT,
      isSensitive,
      synonyms: isSensitive ? synonyms.map((one) => ({ ...one, value: null })) : synonyms,
      type,
    }
  }
}

/** The configs of a topic, also of one that is only about to be made. */
export function describeTopicConfig(
  config: TopicConfig,
  keys: readonly string[] | null,
): DescribedConfig[] {
  return chosen(topicConfigDefinitions(), keys).map(({ name, type }) => ({
    name,
    value: config.get(name),
    isReadOnly: !hasEffect(name),
    source: config.sourceOf(name),
    isSensitive: false,
    synonyms: config.synonyms(name),
    type,
  }))
}

/** An empty list asks for all, as it does in Kafka. Unknown names are left out. */
function chosen(
  definitions: ReadonlyMap<string, ConfigDefinition>,
  keys: readonly string[] | null,
): ConfigDefinition[] {
  const names = keys === null || keys.length === 0 ? definitions.keys() : new Set(keys)
  return [...names].flatMap((name) => {
    const definition = definitions.get(name)
    return definition === undefined || definition.isInternal ? [] : [definition]
  })
}

const invalidRequest = (message: string): BrokerError =>
  new BrokerError(ErrorCode.INVALID_REQUEST, message)
