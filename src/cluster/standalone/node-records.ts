import type { MetadataChange } from '../../ports/metadata-store.ts'
import {
  ControlRecordType,
  encodeControlKey,
  encodeControlValue,
  kraftVersionRecord,
  leaderChangeMessage,
  votersRecord,
} from '../../records/internal/control-records.ts'
import type { NodeIdentity } from './meta-properties.ts'

/** Where nobody listens; Kafka puts the address of its controller here when it starts. */
const CONTROLLER = { name: 'CONTROLLER', host: '127.0.0.1', port: 9093 }

export interface ControlRecord {
  readonly key: Buffer
  readonly value: Buffer
}

/** The first record of a leader's epoch. */
export function leaderChangeRecord(nodeId: number): ControlRecord {
  const voters = [{ voterId: nodeId }]
  const value = encodeControlValue(leaderChangeMessage, {
    version: 0,
    leaderId: nodeId,
    voters,
    grantingVoters: voters,
  })
  return { key: encodeControlKey(ControlRecordType.LEADER_CHANGE), value }
}

/** This node as the only voter: the value of a VotersRecord. */
export function ownVoters(identity: NodeIdentity): Buffer {
  return encodeControlValue(votersRecord, {
    version: 0,
    voters: [
      {
        voterId: identity.nodeId,
        voterDirectoryId: identity.directoryId,
        endpoints: [CONTROLLER],
        kRaftVersionFeature: { minSupportedVersion: 0, maxSupportedVersion: 1 },
      },
    ],
  })
}

/**
 * The records that put the voters into the log, so that Kafka starts on the directory with a
 * dynamic as well as with a static quorum (KIP-853).
 */
export function voterRecords(voters: Buffer): ControlRecord[] {
  const version = encodeControlValue(kraftVersionRecord, { version: 0, kRaftVersion: 1 })
  return [
    { key: encodeControlKey(ControlRecordType.KRAFT_VERSION), value: version },
    { key: encodeControlKey(ControlRecordType.KRAFT_VOTERS), value: voters },
  ]
}

/** What Kafka 4.4 records when a cluster is made: its feature levels, and one cluster default. */
const FIRST_FEATURES: readonly (readonly [name: string, level: number])[] = [
  ['metadata.version', 33],
  ['eligible.leader.replicas.version', 1],
  ['group.version', 1],
  ['share.version', 2],
  ['streams.version', 1],
  ['transaction.version', 2],
]

export function firstChanges(): MetadataChange[] {
  const changes: MetadataChange[] = FIRST_FEATURES.map(([name, level]) => ({
    kind: 'featureSet',
    name,
    level,
  }))
  changes.push({
    kind: 'configSet',
    type: 4,
    resourceName: '',
    name: 'min.insync.replicas',
    value: '1',
  })
  return changes
}
