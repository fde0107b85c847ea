import { ErrorCode } from '../../../base/error-code.ts'
import type { MetadataStore } from '../../../ports/metadata-store.ts'
import { electLeadersApi } from '../../../wire/kafka/messages/43-elect-leaders.ts'
import { defineHandler, type KafkaHandler } from '../handler.ts'

export interface ElectLeadersServices {
  readonly metadata: MetadataStore
}

/** Preferred and unclean. */
const MAX_ELECTION_TYPE = 1

/** ElectLeaders (KIP-460): the only replica leads already, so no election is ever needed. */
export function electLeadersHandler({ metadata }: ElectLeadersServices): KafkaHandler {
  return defineHandler(electLeadersApi, ({ electionType, topicPartitions }) => {
    const { topics } = metadata.image
    const isKnownType = electionType >= 0 && electionType <= MAX_ELECTION_TYPE
    const asked = topicPartitions ?? [...topics.keys()].map((topic) => ({ topic, partitions: [] }))
    const outcome = (topic: string, partitionId: number): readonly [ErrorCode, string] => {
      if (!isKnownType) {
        return [ErrorCode.INVALID_REQUEST, `Unknown election type ${electionType}`]
      }
      const image = topics.get(topic)
      if (image === undefined) {
        return [ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `No such topic as ${topic}`]
      }
      if (image.partitions[partitionId] === undefined) {
        const message = `No such partition as ${topic}-${partitionId}`
        return [ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, message]
      }
      const message = 'Leader election not needed for topic partition.'
      return [ErrorCode.ELECTION_NOT_NEEDED, message]
    }
    return {
      throttleTimeMs: 0,
      errorCode: isKnownType ? ErrorCode.NONE : ErrorCode.INVALID_REQUEST,
      replicaElectionResults: asked.map(({ topic, partitions }) => ({
        topic,
        partitionResult: partitions.map((partitionId) => {
          const [errorCode, errorMessage] = outcome(topic, partitionId)
          return { partitionId, errorCode, errorMessage }
        }),
      })),
    }
  })
}
