import { assert } from '../../base/assert.ts'
import { ConfigError } from '../../base/errors.ts'
import { ConfigResourceType, type MetadataStore } from '../../ports/metadata-store.ts'
import { type ConfigDefinition, ConfigType } from './config-definition.ts'
import { brokerConfigDefinitions, nearestName } from './config-tables.ts'
import { listOf, problemOf } from './config-validation.ts'

/** Where a value comes from: the numbers of DescribeConfigs (KIP-226, KIP-412). */
export const ConfigSource = {
  DYNAMIC_TOPIC: 1,
  DYNAMIC_BROKER: 2,
  DYNAMIC_DEFAULT_BROKER: 3,
  STATIC_BROKER: 4,
  DEFAULT: 5,
  GROUP: 8,
} as const
export type ConfigSource = (typeof ConfigSource)[keyof typeof ConfigSource]

/** One place that gives a config a value. */
export interface ConfigSynonym {
  readonly name: string
  readonly value: string | null
  readonly source: ConfigSource
}

/** Told after the values of the broker may have changed while it runs. */
export interface BrokerConfigListener {
  brokerConfigChanged(names: ReadonlySet<string>): void
}

/**
 * Configs that Kafka accepts but whose names are open: those of a listener, of a plug-in.
 * Spool takes them so that a server.properties needs no editing.
 */
const OPEN_NAMES = /^(listener\.name\.|remote\.log\.metadata\.|log4j|metric\.|config\.providers\.)/

/**
 * The values of the broker's configs: what was set while it runs, for this broker or for all, then
 * what it was started with, then the defaults.
 */
export class BrokerConfig {
  readonly #static: ReadonlyMap<string, string>
  readonly #definitions = brokerConfigDefinitions()
  readonly #listeners: BrokerConfigListener[] = []
  #metadata: MetadataStore | null = null

  /**
   * @param values what the operator gave, by name
   * @throws ConfigError for an unknown name or a value that does not fit
   */
  constructor(values: ReadonlyMap<string, string> = new Map()) {
    for (const [name, value] of values) this.#check(name, value)
    this.#static = new Map(values)
  }

  /** From now on values set in the metadata count, and listeners hear of changes. */
  attach(metadata: MetadataStore): void {
    assert(this.#metadata === null, 'configs follow one metadata store')
    this.#metadata = metadata
    metadata.subscribe({
      metadataChanged: (changes) => {
        const names = new Set<string>()
        for (const change of changes) {
          if (change.kind !== 'configSet' || change.type !== ConfigResourceType.BROKER) continue
          if (this.#isOurs(change.resourceName)) names.add(change.name)
        }
        if (names.size === 0) return
        for (const listener of this.#listeners) listener.brokerConfigChanged(names)
      },
    })
  }

  subscribe(listener: BrokerConfigListener): void {
    this.#listeners.push(listener)
  }

  /** Every place that gives `name` a value, the winning one first. */
  synonyms(name: string): ConfigSynonym[] {
    const found: ConfigSynonym[] = []
    const add = (value: string | undefined | null, source: ConfigSource): void => {
      if (value !== undefined && value !== null) found.push({ name, value, source })
    }
    const image = this.#metadata?.image
    if (image !== undefined) {
      const own = image.configs(ConfigResourceType.BROKER, String(image.nodeId))
      add(own.get(name), ConfigSource.DYNAMIC_BROKER)
      const all = image.configs(ConfigResourceType.BROKER, '')
      add(all.get(name), ConfigSource.DYNAMIC_DEFAULT_BROKER)
    }
    add(this.#static.get(name), ConfigSource.STATIC_BROKER)
    add(this.#definitions.get(name)?.defaultValue, ConfigSource.DEFAULT)
    return found
  }

  /** The value as text; null when there is none. */
  find(name: string): string | null {
    const image = this.#metadata?.image
    if (image !== undefined) {
      const own = image.configs(ConfigResourceType.BROKER, String(image.nodeId)).get(name)
      if (own !== undefined) return own
      const all = image.configs(ConfigResourceType.BROKER, '').get(name)
      if (all !== undefined) return all
    }
    return this.#static.get(name) ?? this.#definitionOf(name).defaultValue
  }

  /** Set by somebody, so not the default. */
  isSet(name: string): boolean {
    return this.synonyms(name).some(({ source }) => source !== ConfigSource.DEFAULT)
  }

  /** Texts and classes; empty when there is no value. */
  getString(name: string): string {
    return this.find(name) ?? ''
  }

  getInt(name: string): number {
    return this.#number(name)
  }

  /** Values beyond what a number holds exactly, Kafka's "no limit", become MAX_SAFE_INTEGER. */
  getLong(name: string): number {
    return saturate(this.#number(name))
  }

  getDouble(name: string): number {
    return this.#number(name)
  }

  getBoolean(name: string): boolean {
    assert(this.#definitionOf(name).type === ConfigType.BOOLEAN, 'the config is a boolean')
    return this.getString(name).trim().toLowerCase() === 'true'
  }

  getList(name: string): readonly string[] {
    return listOf(this.getString(name))
  }

  #number(name: string): number {
    const value = this.find(name)
    assert(value !== null, 'a number config that is read has a value')
    return Number(value)
  }

  #definitionOf(name: string): ConfigDefinition {
    const definition = this.#definitions.get(name)
    assert(definition !== undefined, 'a config that is read is defined')
    return definition
  }

  #isOurs(resourceName: string): boolean {
    return resourceName === '' || resourceName === String(this.#metadata?.image.nodeId)
  }

  #check(name: string, value: string): void {
    const definition = this.#definitions.get(name)
    if (definition !== undefined) {
      const problem = problemOf(definition, value)
      if (problem !== null) throw new ConfigError(`${problem}; correct it or take it out`)
      return
    }
    if (OPEN_NAMES.test(name)) return
    const nearest = nearestName(name, this.#definitions.keys())
    const remedy = nearest === null ? 'take it out' : `did you mean ${nearest}?`
    throw new ConfigError(`unknown configuration ${name}: ${remedy}`)
  }
}

/** Clamps to the integers that a number holds exactly. */
export function saturate(value: number): number {
  return Math.max(-Number.MAX_SAFE_INTEGER, Math.min(value, Number.MAX_SAFE_INTEGER))
}
