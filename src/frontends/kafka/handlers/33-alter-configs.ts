import { AlterOperation, type ConfigAlterer } from '../../../broker/configs/config-alterer.ts'
import { alterConfigsApi } from '../../../wire/kafka/messages/33-alter-configs.ts'
import { defineHandler, type KafkaHandler } from '../handler.ts'
import { alterResponsesOf } from './44-incremental-alter-configs.ts'

export interface AlterConfigsServices {
  readonly configAlterer: ConfigAlterer
}

/** AlterConfigs: what is not named goes back to its default. Older tools still use it. */
export function alterConfigsHandler({ configAlterer }: AlterConfigsServices): KafkaHandler {
  return defineHandler(alterConfigsApi, async ({ resources, validateOnly }) => {
    const altered = resources.map(({ resourceType, resourceName, configs }) => ({
      type: resourceType,
      resourceName,
      alterations: configs.map((one) => ({ ...one, operation: AlterOperation.SET })),
    }))
    const outcomes = await configAlterer.alter(altered, true, validateOnly)
    return { throttleTimeMs: 0, responses: alterResponsesOf(outcomes) }
  })
}
