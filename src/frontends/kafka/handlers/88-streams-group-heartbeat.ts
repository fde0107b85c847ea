import { ErrorCode } from '../../../base/error-code.ts'
import type {
  EndpointPartitions,
  StreamsHeartbeatRequest,
  StreamsHeartbeatResult,
} from '../../../broker/groups/streams/streams-group-requests.ts'
import { streamsHeartbeatError } from '../../../broker/groups/streams/streams-group-requests.ts'
import type { StreamsGroupService } from '../../../broker/groups/streams/streams-group-service.ts'
import type { TaskList } from '../../../broker/groups/streams/tasks.ts'
import type { MetadataStore } from '../../../ports/metadata-store.ts'
import {
  type StreamsGroupHeartbeatRequest,
  streamsGroupHeartbeatApi,
} from '../../../wire/kafka/messages/88-streams-group-heartbeat.ts'
import { defineHandler, type Exchange, type KafkaHandler } from '../handler.ts'
import { groupClientOf } from './group-client.ts'
import { isStreamsEnabled, topicRefusalOf } from './streams-requests.ts'

export interface StreamsGroupHeartbeatServices {
  readonly streamsGroups: Pick<StreamsGroupService, 'heartbeat'>
  readonly metadata: MetadataStore
  /** `group.coordinator.rebalance.protocols` */
  readonly protocols: () => readonly string[]
}

/** KIP-1331: first version whose members understand what they are told of client tags. */
const CLIENT_TAG_STATUS_SINCE = 1

/** StreamsGroupHeartbeat (KIP-1071). */
export function streamsGroupHeartbeatHandler({
  streamsGroups,
  metadata,
  protocols,
}: StreamsGroupHeartbeatServices): KafkaHandler {
  return defineHandler(streamsGroupHeartbeatApi, async (request, exchange) => {
    const refusal = isStreamsEnabled(metadata, protocols)
      ? topicRefusalOf(request.topology)
      : { errorCode: ErrorCode.UNSUPPORTED_VERSION, errorMessage: null }
    if (refusal !== null) {
      const { errorCode, errorMessage } = refusal
      return toWire(streamsHeartbeatError(errorCode, errorMessage).result)
    }
    return toWire(await streamsGroups.heartbeat(fromWire(request, exchange)))
  })
}

function fromWire(
  request: StreamsGroupHeartbeatRequest,
  exchange: Exchange,
): StreamsHeartbeatRequest {
  const { endpointInformationEpoch, shutdownApplication, ...asked } = request
  return {
    ...asked,
    client: groupClientOf(exchange),
    endpointEpoch: endpointInformationEpoch,
    isShutdownRequested: shutdownApplication,
    knowsClientTagStatus: exchange.apiVersion >= CLIENT_TAG_STATUS_SINCE,
  }
}

function toWire(result: StreamsHeartbeatResult) {
  const { tasks, status, endpoints, endpointEpoch, ...answer } = result
  return {
    throttleTimeMs: 0,
    ...answer,
    status: [...status],
    activeTasks: tasks === null ? null : tasks.active.map(taskIdsOf),
    standbyTasks: tasks === null ? null : tasks.standby.map(taskIdsOf),
    warmupTasks: tasks === null ? null : tasks.warmup.map(taskIdsOf),
    endpointInformationEpoch: endpointEpoch,
    partitionsByUserEndpoint: endpoints === null ? null : endpoints.map(endpointOf),
  }
}

const taskIdsOf = ({ subtopologyId, partitions }: TaskList) => ({
  subtopologyId,
  partitions: [...partitions],
})

function endpointOf({ userEndpoint, activePartitions, standbyPartitions }: EndpointPartitions) {
  const topicsOf = (topics: EndpointPartitions['activePartitions']) =>
    topics.map(({ topic, partitions }) => ({ topic, partitions: [...partitions] }))
  return {
    userEndpoint,
    activePartitions: topicsOf(activePartitions),
    standbyPartitions: topicsOf(standbyPartitions),
  }
}
