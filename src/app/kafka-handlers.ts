import { isInternalTopic } from '../broker/topics/topic.ts'
import type { FetchSessions } from '../frontends/kafka/fetch-session.ts'
import type { KafkaHandler } from '../frontends/kafka/handler.ts'
import { produceHandler } from '../frontends/kafka/handlers/00-produce.ts'
import { fetchHandler } from '../frontends/kafka/handlers/01-fetch.ts'
import { listOffsetsHandler } from '../frontends/kafka/handlers/02-list-offsets.ts'
import { offsetCommitHandler } from '../frontends/kafka/handlers/08-offset-commit.ts'
import { offsetFetchHandler } from '../frontends/kafka/handlers/09-offset-fetch.ts'
import { findCoordinatorHandler } from '../frontends/kafka/handlers/10-find-coordinator.ts'
import { joinGroupHandler } from '../frontends/kafka/handlers/11-join-group.ts'
import { heartbeatHandler } from '../frontends/kafka/handlers/12-heartbeat.ts'
import { leaveGroupHandler } from '../frontends/kafka/handlers/13-leave-group.ts'
import { syncGroupHandler } from '../frontends/kafka/handlers/14-sync-group.ts'
import { describeGroupsHandler } from '../frontends/kafka/handlers/15-describe-groups.ts'
import { listGroupsHandler } from '../frontends/kafka/handlers/16-list-groups.ts'
import { apiVersionsHandler } from '../frontends/kafka/handlers/18-api-versions.ts'
import { deleteRecordsHandler } from '../frontends/kafka/handlers/21-delete-records.ts'
import { initProducerIdHandler } from '../frontends/kafka/handlers/22-init-producer-id.ts'
import { offsetForLeaderEpochHandler } from '../frontends/kafka/handlers/23-offset-for-leader-epoch.ts'
import { deleteGroupsHandler } from '../frontends/kafka/handlers/42-delete-groups.ts'
import { offsetDeleteHandler } from '../frontends/kafka/handlers/47-offset-delete.ts'
import type { Api } from '../wire/kafka/codec.ts'
import type { BrokerCore } from './broker-core.ts'

/** Only what works is announced, whatever levels the metadata holds for Kafka's sake. */
const SUPPORTED_FEATURES = [{ name: 'metadata.version', minVersion: 7, maxVersion: 33 }]

/** Every API key that is served, each with the services it needs. */
export function kafkaHandlers(
  core: BrokerCore,
  sessions: FetchSessions,
  apis: () => readonly Api[],
): KafkaHandler[] {
  const { config, groups, metadata, registry: partitions, clock, scheduler } = core
  return [
    produceHandler({
      partitions,
      clock,
      isInternalTopic,
      maxRequestBytes: config.getInt('socket.request.max.bytes'),
    }),
    fetchHandler({
      partitions,
      scheduler,
      sessions,
      maxResponseBytes: () => config.getInt('fetch.max.bytes'),
    }),
    listOffsetsHandler({ partitions }),
    offsetCommitHandler({ groups, metadata }),
    offsetFetchHandler({ groups, metadata }),
    findCoordinatorHandler({ nodeId: core.nodeId, groups }),
    joinGroupHandler({ groups }),
    heartbeatHandler({ groups }),
    leaveGroupHandler({ groups }),
    syncGroupHandler({ groups }),
    describeGroupsHandler({ groups }),
    listGroupsHandler({ groups }),
    apiVersionsHandler({ metadata, features: SUPPORTED_FEATURES, apis }),
    deleteRecordsHandler({ partitions, isInternalTopic }),
    initProducerIdHandler({ nextProducerId: () => core.producerIds.next() }),
    offsetForLeaderEpochHandler({ partitions }),
    deleteGroupsHandler({ groups }),
    offsetDeleteHandler({ groups, metadata }),
  ]
}
