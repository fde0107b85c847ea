import { ErrorCode } from '../../../base/error-code.ts'
import type { MetadataStore } from '../../../ports/metadata-store.ts'
import { describeClusterApi } from '../../../wire/kafka/messages/60-describe-cluster.ts'
import { defineHandler, type KafkaHandler } from '../handler.ts'
import { ALL_CLUSTER_OPERATIONS, NO_OPERATIONS } from './authorized-operations.ts'

export interface DescribeClusterServices {
  readonly metadata: MetadataStore
  /** `broker.rack`; null: none. */
  readonly rack: string | null
}

/** Whom a client wants to hear of (KIP-919). */
const EndpointType = { BROKERS: 1, CONTROLLERS: 2 } as const

/** DescribeCluster (KIP-700). */
export function describeClusterHandler({ metadata, rack }: DescribeClusterServices): KafkaHandler {
  return defineHandler(describeClusterApi, (request, exchange) => {
    const { endpointType, includeClusterAuthorizedOperations } = request
    if (endpointType === EndpointType.CONTROLLERS) {
      return refuse(
        ErrorCode.MISMATCHED_ENDPOINT_TYPE,
        'The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type ' +
          'CONTROLLER',
      )
    }
    if (endpointType !== EndpointType.BROKERS) {
      const message = `Unsupported endpoint type ${endpointType}`
      return refuse(ErrorCode.UNSUPPORTED_ENDPOINT_TYPE, message)
    }
    const { clusterId, nodeId } = metadata.image
    const { host, port } = exchange.connection.advertised
    return {
      throttleTimeMs: 0,
      errorCode: ErrorCode.NONE,
      errorMessage: null,
      endpointType,
      clusterId,
      controllerId: nodeId,
      brokers: [{ brokerId: nodeId, host, port, rack }],
      clusterAuthorizedOperations: includeClusterAuthorizedOperations
        ? ALL_CLUSTER_OPERATIONS
        : NO_OPERATIONS,
    }
  })
}

function refuse(errorCode: ErrorCode, errorMessage: string) {
  return { throttleTimeMs: 0, errorCode, errorMessage, clusterId: '', brokers: [] }
}
