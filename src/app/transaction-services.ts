import type { BrokerConfig } from '../broker/configs/broker-config.ts'
import type { CoordinatorPorts } from '../broker/coordinator/coordinator-shard.ts'
import type { InternalTopics } from '../broker/coordinator/internal-topics.ts'
import type { GroupCoordinator } from '../broker/groups/group-coordinator.ts'
import type { PartitionLookup } from '../broker/topics/partition-lookup.ts'
import { PartitionMarkerWriter } from '../broker/transactions/partition-marker-writer.ts'
import type { ProducerIdSource } from '../broker/transactions/spare-producer-id.ts'
import { TransactionAdmission } from '../broker/transactions/transaction-admission.ts'
import type { TransactionConfig } from '../broker/transactions/transaction-config.ts'
import { TransactionCoordinator } from '../broker/transactions/transaction-coordinator.ts'
import type { MetadataStore } from '../ports/metadata-store.ts'

export interface TransactionServicesOptions extends CoordinatorPorts {
  readonly config: BrokerConfig
  readonly metadata: MetadataStore
  readonly topics: InternalTopics
  readonly partitions: PartitionLookup
  readonly groups: GroupCoordinator
  readonly producerIds: ProducerIdSource
}

/** All that belongs to transactions, put together. */
export class TransactionServices {
  readonly writer: PartitionMarkerWriter
  readonly coordinator: TransactionCoordinator
  readonly admission: TransactionAdmission

  constructor(options: TransactionServicesOptions) {
    const { config, metadata } = options
    this.writer = new PartitionMarkerWriter(options)
    this.coordinator = new TransactionCoordinator({
      ...options,
      writer: this.writer,
      config: () => transactionConfigOf(config, metadata),
    })
    this.admission = new TransactionAdmission({
      coordinator: this.coordinator,
      isVerificationEnabled: () => config.getBoolean('transaction.partition.verification.enable'),
    })
  }
}

function transactionConfigOf(config: BrokerConfig, metadata: MetadataStore): TransactionConfig {
  return {
    maxTimeoutMs: config.getInt('transaction.max.timeout.ms'),
    idExpirationMs: config.getInt('transactional.id.expiration.ms'),
    abortCheckIntervalMs: config.getInt(
      'transaction.abort.timed.out.transaction.cleanup.interval.ms',
    ),
    expiryCheckIntervalMs: config.getInt(
      'transaction.remove.expired.transaction.cleanup.interval.ms',
    ),
    transactionVersion: metadata.image.features.get('transaction.version') ?? 0,
  }
}
