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

/** How voters reach a controller. */
export interface ControllerEndpoint {
  readonly name: string
  readonly host: string
  readonly port: number
}

interface ControlRecord {
  readonly key: Buffer
  readonly value: Buffer
}

/**
 * The control batch that begins a leader's epoch.
 * @param controller given on the first run: the voter set is recorded too, so that Kafka starts on
 *   the directory with a dynamic as well as with a static quorum (KIP-853)
 */
export function leaderChangeRecords(
  identity: NodeIdentity,
  controller: ControllerEndpoint | null,
): ControlRecord[] {
  const { nodeId, directoryId } = identity
  const voters = [{ voterId: nodeId }]
  const leaderChange = {
    key: encodeControlKey(ControlRecordType.LEADER_CHANGE),
    value: encodeControlValue(leaderChangeMessage, {
      version: 0,
      leaderId: nodeId,
      voters,
      grantingVoters: voters,
    }),
  }
  if (controller === null) return [leaderChange]
  const kraftVersion = {
    key: encodeControlKey(ControlRecordType.KRAFT_VERSION),
    value: encodeControlValue(kraftVersionRecord, { version: 0, kRaftVersion: 1 }),
  }
  const votersOf = {
    key: encodeControlKey(ControlRecordType.KRAFT_VOTERS),
    value: encodeControlValue(votersRecord, {
      version: 0,
      voters: [
        {
          voterId: nodeId,
          voterDirectoryId: directoryId,
          endpoints: [controller],
          kRaftVersionFeature: { minSupportedVersion: 0, maxSupportedVersion: 1 },
        },
      ],
    }),
  }
  return [leaderChange, kraftVersion, votersOf]
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
