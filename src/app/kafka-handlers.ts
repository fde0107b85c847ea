import { isInternalTopic } from '../broker/topics/topic.ts'
import type { FetchSessions } from '../frontends/kafka/fetch-session.ts'
import type { KafkaHandler } from '../frontends/kafka/handler.ts'
import { produceHandler } from '../frontends/kafka/handlers/00-produce.ts'
import { fetchHandler } from '../frontends/kafka/handlers/01-fetch.ts'
import { listOffsetsHandler } from '../frontends/kafka/handlers/02-list-offsets.ts'
import { metadataHandler } from '../frontends/kafka/handlers/03-metadata.ts'
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
import { createTopicsHandler } from '../frontends/kafka/handlers/19-create-topics.ts'
import { deleteTopicsHandler } from '../frontends/kafka/handlers/20-delete-topics.ts'
import { deleteRecordsHandler } from '../frontends/kafka/handlers/21-delete-records.ts'
import { initProducerIdHandler } from '../frontends/kafka/handlers/22-init-producer-id.ts'
import { offsetForLeaderEpochHandler } from '../frontends/kafka/handlers/23-offset-for-leader-epoch.ts'
import { addPartitionsToTxnHandler } from '../frontends/kafka/handlers/24-add-partitions-to-txn.ts'
import { addOffsetsToTxnHandler } from '../frontends/kafka/handlers/25-add-offsets-to-txn.ts'
import { endTxnHandler } from '../frontends/kafka/handlers/26-end-txn.ts'
import { writeTxnMarkersHandler } from '../frontends/kafka/handlers/27-write-txn-markers.ts'
import { txnOffsetCommitHandler } from '../frontends/kafka/handlers/28-txn-offset-commit.ts'
import { describeAclsHandler } from '../frontends/kafka/handlers/29-describe-acls.ts'
import { createAclsHandler } from '../frontends/kafka/handlers/30-create-acls.ts'
import { deleteAclsHandler } from '../frontends/kafka/handlers/31-delete-acls.ts'
import { describeConfigsHandler } from '../frontends/kafka/handlers/32-describe-configs.ts'
import { alterConfigsHandler } from '../frontends/kafka/handlers/33-alter-configs.ts'
import { alterReplicaLogDirsHandler } from '../frontends/kafka/handlers/34-alter-replica-log-dirs.ts'
import { describeLogDirsHandler } from '../frontends/kafka/handlers/35-describe-log-dirs.ts'
import { createPartitionsHandler } from '../frontends/kafka/handlers/37-create-partitions.ts'
import { deleteGroupsHandler } from '../frontends/kafka/handlers/42-delete-groups.ts'
import { electLeadersHandler } from '../frontends/kafka/handlers/43-elect-leaders.ts'
import { incrementalAlterConfigsHandler } from '../frontends/kafka/handlers/44-incremental-alter-configs.ts'
import { alterPartitionReassignmentsHandler } from '../frontends/kafka/handlers/45-alter-partition-reassignments.ts'
import { listPartitionReassignmentsHandler } from '../frontends/kafka/handlers/46-list-partition-reassignments.ts'
import { offsetDeleteHandler } from '../frontends/kafka/handlers/47-offset-delete.ts'
import { describeQuorumHandler } from '../frontends/kafka/handlers/55-describe-quorum.ts'
import { updateFeaturesHandler } from '../frontends/kafka/handlers/57-update-features.ts'
import { describeClusterHandler } from '../frontends/kafka/handlers/60-describe-cluster.ts'
import { describeProducersHandler } from '../frontends/kafka/handlers/61-describe-producers.ts'
import { describeTransactionsHandler } from '../frontends/kafka/handlers/65-describe-transactions.ts'
import { listTransactionsHandler } from '../frontends/kafka/handlers/66-list-transactions.ts'
import { consumerGroupHeartbeatHandler } from '../frontends/kafka/handlers/68-consumer-group-heartbeat.ts'
import { consumerGroupDescribeHandler } from '../frontends/kafka/handlers/69-consumer-group-describe.ts'
import { listConfigResourcesHandler } from '../frontends/kafka/handlers/74-list-config-resources.ts'
import { describeTopicPartitionsHandler } from '../frontends/kafka/handlers/75-describe-topic-partitions.ts'
import { shareGroupHeartbeatHandler } from '../frontends/kafka/handlers/76-share-group-heartbeat.ts'
import { shareGroupDescribeHandler } from '../frontends/kafka/handlers/77-share-group-describe.ts'
import { shareFetchHandler } from '../frontends/kafka/handlers/78-share-fetch.ts'
import { shareAcknowledgeHandler } from '../frontends/kafka/handlers/79-share-acknowledge.ts'
import { initializeShareGroupStateHandler } from '../frontends/kafka/handlers/83-initialize-share-group-state.ts'
import { readShareGroupStateHandler } from '../frontends/kafka/handlers/84-read-share-group-state.ts'
import { writeShareGroupStateHandler } from '../frontends/kafka/handlers/85-write-share-group-state.ts'
import { deleteShareGroupStateHandler } from '../frontends/kafka/handlers/86-delete-share-group-state.ts'
import { readShareGroupStateSummaryHandler } from '../frontends/kafka/handlers/87-read-share-group-state-summary.ts'
import { streamsGroupHeartbeatHandler } from '../frontends/kafka/handlers/88-streams-group-heartbeat.ts'
import { streamsGroupDescribeHandler } from '../frontends/kafka/handlers/89-streams-group-describe.ts'
import { describeShareGroupOffsetsHandler } from '../frontends/kafka/handlers/90-describe-share-group-offsets.ts'
import { alterShareGroupOffsetsHandler } from '../frontends/kafka/handlers/91-alter-share-group-offsets.ts'
import { deleteShareGroupOffsetsHandler } from '../frontends/kafka/handlers/92-delete-share-group-offsets.ts'
import { streamsGroupTopologyDescriptionUpdateHandler } from '../frontends/kafka/handlers/93-streams-group-topology-description-update.ts'
import type { Api } from '../wire/kafka/codec.ts'
import type { BrokerCore } from './broker-core.ts'

/** Only what works is announced, whatever levels the metadata holds for Kafka's sake. */
const SUPPORTED_FEATURES = [
  { name: 'metadata.version', minVersion: 7, maxVersion: 33 },
  { name: 'group.version', minVersion: 0, maxVersion: 1 },
  { name: 'share.version', minVersion: 0, maxVersion: 2 },
  { name: 'streams.version', minVersion: 0, maxVersion: 1 },
  { name: 'transaction.version', minVersion: 0, maxVersion: 2 },
]

/** What the handlers need besides the broker itself. */
export interface HandlerServices {
  readonly sessions: FetchSessions
  readonly apis: () => readonly Api[]
  /** The data directory as an operator knows it. */
  readonly logDir: string
  readonly diskBytes: () => { readonly total: number; readonly usable: number }
}

/** Every API key that is served, each with the services it needs. */
export function kafkaHandlers(core: BrokerCore, services: HandlerServices): KafkaHandler[] {
  return [
    ...recordHandlers(core, services.sessions),
    ...groupHandlers(core),
    ...shareHandlers(core),
    ...streamsHandlers(core),
    ...transactionHandlers(core),
    ...topicHandlers(core),
    ...configHandlers(core),
    ...clusterHandlers(core, services),
  ]
}

function recordHandlers(core: BrokerCore, sessions: FetchSessions): KafkaHandler[] {
  const { config, registry: partitions, clock, scheduler } = core
  return [
    produceHandler({
      partitions,
      clock,
      scheduler,
      isInternalTopic,
      admission: core.transactions.admission,
      maxRequestBytes: config.getInt('socket.request.max.bytes'),
    }),
    fetchHandler({
      partitions,
      scheduler,
      sessions,
      maxResponseBytes: () => config.getInt('fetch.max.bytes'),
    }),
    listOffsetsHandler({ partitions }),
    deleteRecordsHandler({ partitions, isInternalTopic }),
    offsetForLeaderEpochHandler({ partitions }),
    describeProducersHandler({ partitions }),
  ]
}

function groupHandlers(core: BrokerCore): KafkaHandler[] {
  const { groups, metadata, nodeId, shares, transactions } = core
  return [
    offsetCommitHandler({ groups, metadata }),
    offsetFetchHandler({ groups, metadata }),
    findCoordinatorHandler({
      nodeId,
      groups,
      transactions: transactions.coordinator,
      shares: shares.coordinator,
    }),
    joinGroupHandler({ groups }),
    heartbeatHandler({ groups }),
    leaveGroupHandler({ groups }),
    syncGroupHandler({ groups }),
    describeGroupsHandler({ groups }),
    listGroupsHandler({ groups }),
    deleteGroupsHandler({ groups, shareGroups: shares.groups }),
    offsetDeleteHandler({ groups, metadata }),
    consumerGroupHeartbeatHandler({ groups }),
    consumerGroupDescribeHandler({ groups }),
  ]
}

function shareHandlers({ registry, scheduler, shares }: BrokerCore): KafkaHandler[] {
  const { coordinator: shareCoordinator, groups: shareGroups } = shares
  const services = { shares: shares.partitions, partitions: registry, scheduler }
  return [
    shareGroupHeartbeatHandler({ shareGroups }),
    shareGroupDescribeHandler({ shareGroups }),
    shareFetchHandler(services),
    shareAcknowledgeHandler(services),
    initializeShareGroupStateHandler({ shareCoordinator }),
    readShareGroupStateHandler({ shareCoordinator }),
    writeShareGroupStateHandler({ shareCoordinator }),
    deleteShareGroupStateHandler({ shareCoordinator }),
    readShareGroupStateSummaryHandler({ shareCoordinator }),
    describeShareGroupOffsetsHandler({ shareGroups }),
    alterShareGroupOffsetsHandler({ shareGroups }),
    deleteShareGroupOffsetsHandler({ shareGroups }),
  ]
}

function streamsHandlers({ config, groups, metadata, streamsGroups }: BrokerCore): KafkaHandler[] {
  const protocols = () => config.getList('group.coordinator.rebalance.protocols')
  return [
    streamsGroupHeartbeatHandler({ streamsGroups, metadata, protocols }),
    streamsGroupDescribeHandler({ groups, metadata, protocols }),
    streamsGroupTopologyDescriptionUpdateHandler(),
  ]
}

function transactionHandlers(core: BrokerCore): KafkaHandler[] {
  const { clock, groups, metadata, registry: partitions, producerIds } = core
  const { admission, coordinator: transactions, writer } = core.transactions
  return [
    initProducerIdHandler({ nextProducerId: () => producerIds.next(), transactions }),
    addPartitionsToTxnHandler({ transactions, metadata }),
    addOffsetsToTxnHandler({ transactions, groups }),
    endTxnHandler({ transactions }),
    writeTxnMarkersHandler({ partitions, writer, clock }),
    txnOffsetCommitHandler({ groups, admission, metadata }),
    describeTransactionsHandler({ transactions }),
    listTransactionsHandler({ transactions }),
  ]
}

function topicHandlers(core: BrokerCore): KafkaHandler[] {
  const { config, metadata, registry: partitions, topicAdmin } = core
  return [
    metadataHandler({
      metadata,
      partitions,
      createOnUse: (topic) => core.automaticTopics.createOnUse(topic),
      rack: config.find('broker.rack'),
    }),
    createTopicsHandler({ topicAdmin }),
    deleteTopicsHandler({ topicAdmin }),
    createPartitionsHandler({ topicAdmin }),
    electLeadersHandler({ metadata }),
    alterPartitionReassignmentsHandler({ metadata }),
    listPartitionReassignmentsHandler(),
    describeTopicPartitionsHandler({
      metadata,
      partitions,
      maxPartitions: () => config.getInt('max.request.partition.size.limit'),
    }),
  ]
}

function configHandlers({ metadata, configDescriber, configAlterer }: BrokerCore): KafkaHandler[] {
  return [
    describeConfigsHandler({ configDescriber }),
    alterConfigsHandler({ configAlterer }),
    incrementalAlterConfigsHandler({ configAlterer }),
    listConfigResourcesHandler({ metadata }),
  ]
}

function clusterHandlers(core: BrokerCore, services: HandlerServices): KafkaHandler[] {
  const { clock, config, metadata, nodeId, registry } = core
  const { logDir, diskBytes, apis } = services
  return [
    apiVersionsHandler({ metadata, features: SUPPORTED_FEATURES, apis }),
    describeClusterHandler({ metadata, rack: config.find('broker.rack') }),
    describeQuorumHandler({ nodeId, clock, quorum: metadata }),
    alterReplicaLogDirsHandler({ registry, logDir }),
    describeLogDirsHandler({ registry, logDir, diskBytes }),
    updateFeaturesHandler({ metadata }),
    describeAclsHandler(),
    createAclsHandler(),
    deleteAclsHandler(),
  ]
}
