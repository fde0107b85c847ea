import { brokerConfigDefinitions, topicConfigDefinitions } from './config-tables.ts'
import { hasEffect } from './configs-without-effect.ts'

/** Read at every use, so a change holds from then on. */
const READ_AT_USE = [
  'errors.deadletterqueue.auto.create.topics.enable',
  'errors.deadletterqueue.topic.name.prefix',
  'producer.id.expiration.ms',
  'log.cleaner.backoff.ms',
  'log.cleaner.dedupe.buffer.size',
  'log.cleaner.io.buffer.load.factor',
  'log.cleaner.io.buffer.size',
  'log.cleaner.io.max.bytes.per.second',
  'log.cleaner.threads',
]

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

/** What Kafka lets one change at any time and means nothing here may be set as well. */
export function isAccepted(name: string): boolean {
  if (isChangeable(name)) return true
  return brokerConfigDefinitions().get(name)?.isReadOnly === false && !hasEffect(name)
}

function changeableNames(): ReadonlySet<string> {
  const found = new Set(READ_AT_USE)
  for (const { brokerName } of topicConfigDefinitions().values()) {
    if (brokerName === null || !hasEffect(brokerName)) continue
    if (brokerConfigDefinitions().get(brokerName)?.isReadOnly === false) found.add(brokerName)
  }
  return found
}
