import { ErrorCode } from '../../base/error-code.ts'
import { BrokerError } from '../../base/errors.ts'
import type { BrokerConfig } from './broker-config.ts'
import { nearestName, topicConfigDefinitions } from './config-tables.ts'
import { validate } from './config-validation.ts'
import { TopicConfig } from './topic-config.ts'

/**
 * Checks all values that are, or will be, set for a topic.
 * @throws BrokerError INVALID_CONFIG in Kafka's words
 */
export function validateTopicConfigs(
  values: ReadonlyMap<string, string>,
  broker: BrokerConfig,
): void {
  const definitions = topicConfigDefinitions()
  for (const [name, value] of values) {
    const definition = definitions.get(name)
    if (definition === undefined) throw unknownTopicConfig(name)
    validate(definition, value)
  }
  const config = new TopicConfig(values, broker)
  const minLagMs = config.get('min.compaction.lag.ms')
  const maxLagMs = config.get('max.compaction.lag.ms')
  if (BigInt(minLagMs) > BigInt(maxLagMs)) {
    throw new BrokerError(
      ErrorCode.INVALID_CONFIG,
      `conflict topic config setting min.compaction.lag.ms (${minLagMs}) > ` +
        `max.compaction.lag.ms (${maxLagMs})`,
    )
  }
  if (config.get('remote.storage.enable').toLowerCase() === 'true') {
    throw new BrokerError(
      ErrorCode.INVALID_CONFIG,
      'Tiered Storage functionality is disabled in the broker. ' +
        'Topic cannot be configured with remote log storage.',
    )
  }
}

function unknownTopicConfig(name: string): BrokerError {
  const nearest = nearestName(name, topicConfigDefinitions().keys())
  const hint = nearest === null ? '' : ` (did you mean ${nearest}?)`
  return new BrokerError(ErrorCode.INVALID_CONFIG, `Unknown topic config name: ${name}${hint}`)
}
