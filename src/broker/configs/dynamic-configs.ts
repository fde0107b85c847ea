import { brokerConfigDefinitions, topicConfigDefinitions } from './config-tables.ts'

let names: ReadonlySet<string> | undefined

/**
 * Broker configs that take effect when they are set while the broker runs: those that give topics
 * their defaults, and a few that are read at every use. Kafka can change more of its own (threads,
 * keystores, listeners); here they are fixed at the start, and shown as read-only.
 */
export function isChangeable(name: string): boolean {
  names ??= changeableNames()
  return names.has(name)
}

function changeableNames(): ReadonlySet<string> {
  const found = new Set(['producer.id.expiration.ms'])
  for (const { brokerName } of topicConfigDefinitions().values()) {
    if (brokerName !== null && brokerConfigDefinitions().get(brokerName)?.isReadOnly === false) {
      found.add(brokerName)
    }
  }
  return found
}
