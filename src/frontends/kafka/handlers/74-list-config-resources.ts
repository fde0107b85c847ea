import { ErrorCode } from '../../../base/error-code.ts'
import { ConfigResourceType, type MetadataStore } from '../../../ports/metadata-store.ts'
import { listConfigResourcesApi } from '../../../wire/kafka/messages/74-list-config-resources.ts'
import { defineHandler, type KafkaHandler } from '../handler.ts'

export interface ListConfigResourcesServices {
  readonly metadata: MetadataStore
}

/** Kafka's number for the levels of its loggers, which this broker has none of. */
const BROKER_LOGGER = 8
const { TOPIC, BROKER, CLIENT_METRICS, GROUP } = ConfigResourceType
/** In the order in which Kafka answers. */
const KNOWN: readonly number[] = [GROUP, CLIENT_METRICS, BROKER_LOGGER, BROKER, TOPIC]

/** ListConfigResources (KIP-1142); version 0 lists client metrics only. No types asks for all. */
export function listConfigResourcesHandler({
  metadata,
}: ListConfigResourcesServices): KafkaHandler {
  return defineHandler(listConfigResourcesApi, ({ resourceTypes }, { apiVersion }) => {
    const asked = apiVersion === 0 ? [CLIENT_METRICS] : resourceTypes
    if (asked.some((type) => !KNOWN.includes(type))) {
      const errorCode = ErrorCode.UNSUPPORTED_VERSION
      return { throttleTimeMs: 0, errorCode, configResources: [] }
    }
    const types = asked.length === 0 ? KNOWN : KNOWN.filter((type) => asked.includes(type))
    return {
      throttleTimeMs: 0,
      errorCode: ErrorCode.NONE,
      configResources: types.flatMap((resourceType) =>
        namesOf(metadata, resourceType).map((resourceName) => ({ resourceName, resourceType })),
      ),
    }
  })
}

function namesOf({ image }: MetadataStore, type: number): readonly string[] {
  if (type === TOPIC) return [...image.topics.keys()]
  if (type === BROKER) return [String(image.nodeId)]
  if (type === GROUP || type === CLIENT_METRICS) return image.configuredResources(type)
  return []
}
