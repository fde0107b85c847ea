import type { AlterOutcome, ConfigAlterer } from '../../../broker/configs/config-alterer.ts'
import {
  type IncrementalAlterConfigsResponse,
  incrementalAlterConfigsApi,
} from '../../../wire/kafka/messages/44-incremental-alter-configs.ts'
import { defineHandler, type KafkaHandler } from '../handler.ts'

export interface IncrementalAlterConfigsServices {
  readonly configAlterer: ConfigAlterer
}

/** IncrementalAlterConfigs (KIP-339). */
export function incrementalAlterConfigsHandler(
  services: IncrementalAlterConfigsServices,
): KafkaHandler {
  return defineHandler(incrementalAlterConfigsApi, async ({ resources, validateOnly }) => {
    const altered = resources.map(({ resourceType, resourceName, configs }) => ({
      type: resourceType,
      resourceName,
      alterations: configs.map(({ name, configOperation, value }) => ({
        name,
        operation: configOperation,
        value,
      })),
    }))
    const outcomes = await services.configAlterer.alter(altered, false, validateOnly)
    return { throttleTimeMs: 0, responses: alterResponsesOf(outcomes) }
  })
}

export function alterResponsesOf(
  outcomes: readonly AlterOutcome[],
): IncrementalAlterConfigsResponse['responses'] {
  return outcomes.map(({ type, resourceName, errorCode, errorMessage }) => ({
    errorCode,
    errorMessage,
    resourceType: type,
    resourceName,
  }))
}
