import { ErrorCode } from '../../../base/error-code.ts'
import { isInternalTopic } from '../../../broker/topics/topic.ts'
import { problemOfTopicName } from '../../../broker/topics/topic-name.ts'
import type { MetadataStore } from '../../../ports/metadata-store.ts'
import type { StreamsGroupHeartbeatRequest } from '../../../wire/kafka/messages/88-streams-group-heartbeat.ts'

/** Streams groups are served unless the operator switched them off, by setting or by feature. */
export function isStreamsEnabled(
  metadata: MetadataStore,
  protocols: () => readonly string[],
): boolean {
  const level = metadata.image.features.get('streams.version') ?? 0
  return level > 0 && protocols().some((name) => name.toLowerCase() === 'streams')
}

/** Why no application may have such topics; null: it may. */
export function topicRefusalOf(
  topology: StreamsGroupHeartbeatRequest['topology'],
): { readonly errorCode: ErrorCode; readonly errorMessage: string } | null {
  const names = namesOf(topology)
  const errorCode = ErrorCode.STREAMS_INVALID_TOPOLOGY
  const internal = names.filter(isInternalTopic)
  if (internal.length > 0) {
    const errorMessage =
      `Use of Kafka internal topics ${internal.join(',')} in a Kafka Streams topology is ` +
      'prohibited.'
    return { errorCode, errorMessage }
  }
  const invalid = names.filter((name) => problemOfTopicName(name) !== null)
  if (invalid.length === 0) return null
  const errorMessage = `Topic names ${invalid.join(',')} are not valid topic names.`
  return { errorCode, errorMessage }
}

function namesOf(topology: StreamsGroupHeartbeatRequest['topology']): string[] {
  const names = (topology?.subtopologies ?? []).flatMap((one) => [
    ...one.sourceTopics,
    ...one.repartitionSinkTopics,
    ...one.repartitionSourceTopics.map(({ name }) => name),
    ...one.stateChangelogTopics.map(({ name }) => name),
  ])
  return [...new Set(names)]
}
