import { encodeMetadataRecord } from '../../records/internal/metadata-record.ts'
import type { MetadataRecord } from '../../records/internal/metadata-records.ts'
import {
  brokerRegistrationChangeRecord,
  registerBrokerRecord,
} from '../../records/internal/node-metadata-records.ts'
import { registerBrokerVersion } from './record-versions.ts'

type Named<N extends MetadataRecord['name']> = Extract<MetadataRecord, { name: N }>['value']
type Registration = Named<'RegisterBrokerRecord'>

/** How many records of each kind are kept. */
export interface KeptCounts {
  readonly accessControlEntries: number
  readonly scramCredentials: number
  readonly clientQuotas: number
  readonly delegationTokens: number
}

/** The version in which Kafka first wrote a change of `inControlledShutdown`; here only fences. */
const FENCE_VERSION = 0

/**
 * What is in the metadata for others: nodes, access, credentials, quotas, tokens. This broker does
 * not serve it, but Kafka would, so it is kept as it was read and every snapshot has it again.
 * Source: the replay methods of ClusterControlManager, AclControlManager, ScramControlManager,
 * ClientQuotaControlManager and DelegationTokenControlManager, Kafka 4.4.
 */
export class KeptRecords {
  readonly #brokers = new Map<number, Registration>()
  readonly #controllers = new Map<number, Buffer>()
  readonly #accessControlEntries = new Map<string, Buffer>()
  readonly #scramCredentials = new Map<string, Buffer>()
  readonly #clientQuotas = new Map<string, Buffer>()
  readonly #delegationTokens = new Map<string, Buffer>()

  get counts(): KeptCounts {
    return {
      accessControlEntries: this.#accessControlEntries.size,
      scramCredentials: this.#scramCredentials.size,
      clientQuotas: this.#clientQuotas.size,
      delegationTokens: this.#delegationTokens.size,
    }
  }

  get brokers(): Iterable<Registration> {
    return this.#brokers.values()
  }

  /**
   * Takes a record in; those about topics, configs and the log itself change nothing here.
   * @param bytes the record as it was read; copied where it is kept
   */
  apply(record: MetadataRecord, bytes: Buffer): void {
    switch (record.name) {
      case 'RegisterBrokerRecord':
        this.#brokers.set(record.value.brokerId, record.value)
        return
      case 'UnregisterBrokerRecord':
        this.#brokers.delete(record.value.brokerId)
        return
      case 'FenceBrokerRecord':
        this.#change(record.value.id, { fenced: true })
        return
      case 'UnfenceBrokerRecord':
        this.#change(record.value.id, { fenced: false })
        return
      case 'BrokerRegistrationChangeRecord':
        this.#change(record.value.brokerId, changesOf(record.value))
        return
      case 'RegisterControllerRecord':
        this.#controllers.set(record.value.controllerId, Buffer.from(bytes))
        return
      case 'UnregisterControllerRecord':
        this.#controllers.delete(record.value.controllerId)
        return
      default:
        this.#applySecurity(record, bytes)
    }
  }

  /** The records that say that no broker is alive any more, for those that seem to be. */
  fences(): Buffer[] {
    const fences: Buffer[] = []
    for (const { brokerId, brokerEpoch, fenced } of this.#brokers.values()) {
      if (fenced) continue
      const change = { brokerId, brokerEpoch, fenced: 1 }
      fences.push(encodeMetadataRecord(brokerRegistrationChangeRecord, FENCE_VERSION, change))
    }
    return fences
  }

  /** The registered nodes as records. */
  nodeRecords(metadataVersion: number): Buffer[] {
    const brokers = Array.from(this.#brokers.values(), (broker) =>
      encodeRegistration(broker, registerBrokerVersion(metadataVersion)),
    )
    return [...brokers, ...this.#controllers.values()]
  }

  quotaRecords(): Buffer[] {
    return [...this.#clientQuotas.values()]
  }

  securityRecords(): Buffer[] {
    return [
      ...this.#accessControlEntries.values(),
      ...this.#scramCredentials.values(),
      ...this.#delegationTokens.values(),
    ]
  }

  #applySecurity(record: MetadataRecord, bytes: Buffer): void {
    switch (record.name) {
      case 'AccessControlEntryRecord':
        this.#accessControlEntries.set(record.value.id, Buffer.from(bytes))
        return
      case 'RemoveAccessControlEntryRecord':
        this.#accessControlEntries.delete(record.value.id)
        return
      case 'UserScramCredentialRecord':
        this.#scramCredentials.set(credentialKey(record.value), Buffer.from(bytes))
        return
      case 'RemoveUserScramCredentialRecord':
        this.#scramCredentials.delete(credentialKey(record.value))
        return
      case 'ClientQuotaRecord':
        if (record.value.remove) this.#clientQuotas.delete(quotaKey(record.value))
        else this.#clientQuotas.set(quotaKey(record.value), Buffer.from(bytes))
        return
      case 'DelegationTokenRecord':
        this.#delegationTokens.set(record.value.tokenId, Buffer.from(bytes))
        return
      case 'RemoveDelegationTokenRecord':
        this.#delegationTokens.delete(record.value.tokenId)
        return
    }
  }

  #change(brokerId: number, changes: Partial<Registration>): void {
    const broker = this.#brokers.get(brokerId)
    if (broker !== undefined) this.#brokers.set(brokerId, { ...broker, ...changes })
  }
}

/** -1 and 1 say no and yes, 0 that nothing changes. */
function changesOf(record: Named<'BrokerRegistrationChangeRecord'>): Partial<Registration> {
  const { fenced, inControlledShutdown, logDirs, cordonedLogDirs } = record
  return {
    ...(fenced === 0 ? {} : { fenced: fenced > 0 }),
    ...(inControlledShutdown === 0 ? {} : { inControlledShutdown: inControlledShutdown > 0 }),
    ...(logDirs.length === 0 ? {} : { logDirs }),
    ...(cordonedLogDirs === null ? {} : { cordonedLogDirs }),
  }
}

function encodeRegistration(broker: Registration, version: number): Buffer {
  const { inControlledShutdown, isMigratingZkBroker, logDirs, cordonedLogDirs, ...first } = broker
  return encodeMetadataRecord(registerBrokerRecord, version, {
    ...first,
    ...(version >= 1 ? { inControlledShutdown } : {}),
    ...(version >= 2 ? { isMigratingZkBroker } : {}),
    ...(version >= 3 ? { logDirs } : {}),
    ...(version >= 4 ? { cordonedLogDirs } : {}),
  })
}

const credentialKey = ({ name, mechanism }: { name: string; mechanism: number }): string =>
  `${mechanism} ${name}`

/** The order in which a quota names its user, client and address means nothing. */
function quotaKey({ entity, key }: Named<'ClientQuotaRecord'>): string {
  const parts = entity.map(({ entityType, entityName }) => JSON.stringify([entityType, entityName]))
  return `${key} ${parts.sort().join()}`
}
