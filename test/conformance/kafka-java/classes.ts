import { groupClasses } from './group-classes.ts'
import { shareClasses } from './share-classes.ts'

/** Tests of one class of Kafka that run with the same settings of the broker. */
export interface JavaClass {
  /** A full name, or one below the package org.apache.kafka.clients. */
  readonly name: string
  /** Names the row: the name, and what tells it from other rows of the class. */
  readonly label: string
  /** Broker settings that the class asks its cluster for and its tests rely on. */
  readonly config: Readonly<Record<string, string>>
  /** A regular expression on names of methods; the others of the class are left to other rows. */
  readonly include?: string
  /** Likewise, on methods that this row leaves to others. */
  readonly exclude?: string
  /** Set for a class that takes long: it runs with --all only, within so many milliseconds. */
  readonly limitMs?: number
}

const CLIENT_CLASSES = [
  'producer.ProducerFailureHandlingTest',
  'producer.ProducerCompressionTest',
  'producer.ProducerSendWhileDeletionTest',
  'producer.ProducerIntegrationTest',
  'producer.ProducerIdExpirationTest',
  'TransactionsExpirationTest',
  'TransactionsWithMaxInFlightOneTest',
  'kafka.api.TransactionsTest',
  'admin.ListOffsetsIntegrationTest',
  'admin.ConcurrentListOffsetsRequestTest',
  'admin.DeleteTopicTest',
  'admin.DescribeProducersWithBrokerIdTest',
  'admin.AdminFenceProducersTest',
  'consumer.PlaintextConsumerAssignTest',
  'consumer.PlaintextConsumerCallbackTest',
  'consumer.PlaintextConsumerCloseTest',
  'consumer.PlaintextConsumerCommitTest',
  'consumer.PlaintextConsumerFetchTest',
  'consumer.PlaintextConsumerPollTest',
  'consumer.PlaintextConsumerSubscriptionTest',
  'consumer.PlaintextConsumerTest',
  'consumer.ConsumerIntegrationTest',
  'consumer.ConsumerTopicCreationTest',
  'admin.DynamicGroupConfigIntegrationTest',
]

/** Ids that expire while a test waits for it. */
const SOON_EXPIRED = {
  'auto.create.topics.enable': 'false',
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': '200',
  'transaction.remove.expired.transaction.cleanup.interval.ms': '500',
  'producer.id.expiration.check.interval.ms': '500',
}

const CONFIGS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'producer.ProducerFailureHandlingTest': {
    'message.max.bytes': '15000',
    'replica.fetch.max.bytes': '15200',
    'auto.create.topics.enable': 'false',
    'offsets.topic.num.partitions': '1',
  },
  'kafka.api.TransactionsTest': {
    'auto.create.topics.enable': 'false',
    'transaction.abort.timed.out.transaction.cleanup.interval.ms': '200',
  },
  // Its members allow a rebalance one second but ask only every three. Once two of them join a moment apart
  // they throw each other out in turn; on a busy machine the delay has to cover that moment.
  'consumer.PlaintextConsumerPollTest': { 'group.initial.rebalance.delay.ms': '500' },
  'producer.ProducerIdExpirationTest': {
    ...SOON_EXPIRED,
    'transactional.id.expiration.ms': '5000',
    'producer.id.expiration.ms': '10000',
  },
  TransactionsExpirationTest: {
    ...SOON_EXPIRED,
    'transactional.id.expiration.ms': '10000',
    'producer.id.expiration.ms': '5000',
  },
}

export const javaClasses: readonly JavaClass[] = [
  ...CLIENT_CLASSES.map((name) => ({ name, label: name, config: CONFIGS[name] ?? {} })),
  ...groupClasses,
  ...shareClasses,
]

/** Classes of the jar that say nothing about a broker in another process, with the reason. */
export const foreignClasses: Readonly<Record<string, string>> = {
  MetadataVersionIntegrationTest: 'upgrades the feature levels of its own cluster',
  ClientRebootstrapTest: 'stops and starts brokers',
  MetricsDuringTopicCreationDeletionTest: 'reads metrics inside the broker',
  CreateTopicsRequestWithPolicyTest: 'loads a policy class into the broker',
  'admin.AdminClientWithPoliciesIntegrationTest': 'loads a policy class into the broker',
  'admin.AutoTopicCreationTest': 'needs other defaults on the broker for each test',
  'admin.ClientTelemetryTest': 'loads a metrics reporter into the broker',
  'admin.DescribeAuthorizedOperationsTest': 'needs SASL and an authorizer class',
  'admin.DescribeFeaturesTest': 'asks the controller listener',
  'admin.RackAwareAutoTopicCreationTest': 'needs brokers in racks',
  'admin.StaticBrokerConfigTest': 'needs other broker settings for each test',
  'consumer.ConsumerBounceTest': 'stops and starts brokers',
  'consumer.ConsumerWithLegacyMessageFormatIntegrationTest': "writes into the broker's log object",
  'consumer.SaslPlainPlaintextConsumerTest': 'needs a SASL listener',
  'consumer.ShareConsumerRackAwareTest': 'needs brokers in racks',
  'producer.SocketServerMemoryPoolTest': "reads the broker's memory pool",
  'security.GroupAuthorizerIntegrationTest': 'loads an authorizer class into the broker',
}
