import { BROKER_CONFIG_ROWS } from './broker-config-definitions.ts'
import {
  type ConfigDefinition,
  definitionOfBroker,
  definitionOfTopic,
} from './config-definition.ts'
import { INTERNAL_CONFIG_ROWS } from './internal-config-definitions.ts'
import { SECURITY_CONFIG_ROWS } from './security-config-definitions.ts'
import { SPOOL_CONFIG_ROWS, SPOOL_TOPIC_CONFIG_ROWS } from './spool-config-definitions.ts'
import { TOPIC_CONFIG_ROWS } from './topic-config-definitions.ts'

let brokerConfigs: ReadonlyMap<string, ConfigDefinition> | undefined
let topicConfigs: ReadonlyMap<string, ConfigDefinition> | undefined

/** All configs of a broker by name, in alphabetical order but Spool's own and internal ones last. */
export function brokerConfigDefinitions(): ReadonlyMap<string, ConfigDefinition> {
  brokerConfigs ??= new Map(
    [
      ...[...BROKER_CONFIG_ROWS, ...SECURITY_CONFIG_ROWS, ...SPOOL_CONFIG_ROWS].map((row) =>
        definitionOfBroker(row),
      ),
      ...INTERNAL_CONFIG_ROWS.map((row) => definitionOfBroker(row, true)),
    ].map((definition) => [definition.name, definition]),
  )
  return brokerConfigs
}

/** All configs of a topic by name. */
export function topicConfigDefinitions(): ReadonlyMap<string, ConfigDefinition> {
  topicConfigs ??= new Map(
    [...TOPIC_CONFIG_ROWS, ...SPOOL_TOPIC_CONFIG_ROWS].map((row) => [
      row[0],
      definitionOfTopic(row),
    ]),
  )
  return topicConfigs
}

/** The known name that is nearest to a misspelt one, or null when none is near. */
export function nearestName(name: string, known: Iterable<string>): string | null {
  const wanted = name.toLowerCase().replaceAll('_', '.')
  let nearest: string | null = null
  let best = Math.max(2, Math.floor(wanted.length / 4)) + 1
  for (const candidate of known) {
    if (Math.abs(candidate.length - wanted.length) >= best) continue
    const distance = editDistance(wanted, candidate)
    if (distance < best) {
      best = distance
      nearest = candidate
    }
  }
  return nearest
}

/** Levenshtein distance: letters to change, add or take away. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min((row[j] as number) + 1, (next[j - 1] as number) + 1, change))
    }
    row = next
  }
  return row[b.length] as number
}
