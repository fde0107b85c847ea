import { ErrorCode } from '../../../base/error-code.ts'
import type { MetadataStore } from '../../../ports/metadata-store.ts'
import { advertisedRange } from '../../../wire/kafka/api-versions.ts'
import type { Api } from '../../../wire/kafka/codec.ts'
import {
  type ApiVersionsRequest,
  type ApiVersionsResponse,
  apiVersionsApi,
} from '../../../wire/kafka/messages/18-api-versions.ts'
import { defineHandler, type Exchange, type KafkaHandler } from '../handler.ts'

/** Levels of a feature that this broker knows. */
export interface SupportedFeature {
  readonly name: string
  readonly minVersion: number
  readonly maxVersion: number
}

export interface ApiVersionsServices {
  readonly metadata: MetadataStore
  readonly features: readonly SupportedFeature[]
  /** All APIs that are served; asked at each request, so that this handler may be among them. */
  readonly apis: () => readonly Api[]
}

/** KIP-511: letters and digits, with `-` and `.` inside. */
const SOFTWARE_NAME = /^[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?$/

/** First version that names the client. */
const FIRST_NAMED_VERSION = 3

/** Before it, features that may be absent (minimum 0) must be left out (KAFKA-17011). */
const FIRST_VERSION_WITH_ZERO_MINIMUM = 4

/** ApiVersions: what is served here. The first request of nearly every client. */
export function apiVersionsHandler(services: ApiVersionsServices): KafkaHandler {
  return defineHandler(apiVersionsApi, (request, exchange) => {
    const errorCode = refusal(services, request, exchange)
    if (errorCode !== ErrorCode.NONE) return { errorCode, apiKeys: [] }
    if (exchange.apiVersion >= FIRST_NAMED_VERSION) {
      exchange.connection.softwareName = request.clientSoftwareName
      exchange.connection.softwareVersion = request.clientSoftwareVersion
    }
    return response(services, exchange.apiVersion)
  })
}

/** The answer, in version 0, to a version we lack: the range to try again with, and only that. */
export function unsupportedApiVersionsResponse(): ApiVersionsResponse {
  return { errorCode: ErrorCode.UNSUPPORTED_VERSION, apiKeys: keysOf([apiVersionsApi]) }
}

function refusal(
  { metadata }: ApiVersionsServices,
  request: ApiVersionsRequest,
  exchange: Exchange,
): ErrorCode {
  if (exchange.apiVersion < FIRST_NAMED_VERSION) return ErrorCode.NONE
  const { clientSoftwareName, clientSoftwareVersion, clusterId, nodeId } = request
  if (!SOFTWARE_NAME.test(clientSoftwareName) || !SOFTWARE_NAME.test(clientSoftwareVersion)) {
    return ErrorCode.INVALID_REQUEST
  }
  // Who names a cluster names a node of it, and the other way round: Kafka refuses one without the other.
  if ((clusterId === null) !== (nodeId === -1)) return ErrorCode.INVALID_REQUEST
  const { image } = metadata
  const isOtherCluster = clusterId !== null && clusterId !== image.clusterId
  const isOtherNode = nodeId >= 0 && nodeId !== image.nodeId
  // KIP-1242: the client reached a broker it did not mean, so it must look up the cluster again.
  return isOtherCluster || isOtherNode ? ErrorCode.REBOOTSTRAP_REQUIRED : ErrorCode.NONE
}

function response(services: ApiVersionsServices, apiVersion: number): ApiVersionsResponse {
  const { image } = services.metadata
  const showsZero = apiVersion >= FIRST_VERSION_WITH_ZERO_MINIMUM
  const finalized = services.features.flatMap(({ name }) => {
    const level = image.features.get(name) ?? 0
    return level === 0 ? [] : [{ name, minVersionLevel: level, maxVersionLevel: level }]
  })
  return {
    errorCode: ErrorCode.NONE,
    apiKeys: keysOf(services.apis()),
    supportedFeatures: services.features.filter(({ minVersion }) => minVersion > 0 || showsZero),
    finalizedFeaturesEpoch: image.offset,
    finalizedFeatures: finalized,
  }
}

function keysOf(apis: readonly Api[]): ApiVersionsResponse['apiKeys'] {
  return apis.flatMap((api) => {
    const range = advertisedRange(api)
    return range === undefined ? [] : [{ apiKey: api.key, ...range }]
  })
}
