import { ErrorCode } from '../../../base/error-code.ts'
import { streamsGroupTopologyDescriptionUpdateApi } from '../../../wire/kafka/messages/93-streams-group-topology-description-update.ts'
import { defineHandler, type KafkaHandler } from '../handler.ts'

/**
 * StreamsGroupTopologyDescriptionUpdate (KIP-1331). A broker keeps descriptions with a plugin in Java
 * only, so this one never asks for them, and refuses what comes as a Kafka without plugin does.
 */
export function streamsGroupTopologyDescriptionUpdateHandler(): KafkaHandler {
  return defineHandler(streamsGroupTopologyDescriptionUpdateApi, () => ({
    throttleTimeMs: 0,
    errorCode: ErrorCode.UNSUPPORTED_VERSION,
    errorMessage: 'The broker has no streams group topology description plugin configured.',
  }))
}
