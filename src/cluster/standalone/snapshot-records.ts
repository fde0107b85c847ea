import type { PartitionImage } from '../../ports/metadata-store.ts'
import { encodeMetadataRecord } from '../../records/internal/metadata-record.ts'
import {
  configRecord,
  featureLevelRecord,
  producerIdsRecord,
  topicRecord,
} from '../../records/internal/topic-metadata-records.ts'
import { encodePartition } from './metadata-record-encoder.ts'
import { METADATA_VERSION, type MetadataState } from './metadata-state.ts'

/** Kafka says with it that no broker took the block. */
const NO_BROKER = -1

/**
 * The whole state as records, in the order in which Kafka writes a snapshot: `metadata.version`
 * first, because it says how to read the others. Source: MetadataImage.write, Kafka 4.4.
 */
export function snapshotRecords(state: MetadataState, directoryId: string): Buffer[] {
  return [
    ...featureRecords(state),
    ...state.kept.nodeRecords(state.metadataVersion),
    ...topicRecords(state, directoryId),
    ...configRecords(state),
    ...state.kept.quotaRecords(),
    ...producerIdRecords(state),
    ...state.kept.securityRecords(),
  ]
}

function featureRecords({ image }: MetadataState): Buffer[] {
  const names = [...image.features.keys()].filter((name) => name !== METADATA_VERSION)
  const ordered = image.features.has(METADATA_VERSION) ? [METADATA_VERSION, ...names] : names
  return ordered.map((name) =>
    encodeMetadataRecord(featureLevelRecord, 0, {
      name,
      featureLevel: image.features.get(name) as number,
    }),
  )
}

function* topicRecords(state: MetadataState, directoryId: string): Generator<Buffer> {
  const { metadataVersion } = state
  for (const { name, topicId, partitions } of state.image.topics.values()) {
    yield encodeMetadataRecord(topicRecord, 0, { name, topicId })
    const encode = (partition: PartitionImage) =>
      encodePartition(topicId, partition, directoryId, metadataVersion)
    yield* partitions.map(encode)
  }
}

function* configRecords({ image }: MetadataState): Generator<Buffer> {
  for (const { type, resourceName, values } of image.allConfigs()) {
    for (const [name, value] of values) {
      const config = { resourceType: type, resourceName, name, value }
      yield encodeMetadataRecord(configRecord, 0, config)
    }
  }
}

function producerIdRecords({ image }: MetadataState): Buffer[] {
  const { nextProducerId } = image
  if (nextProducerId === 0) return []
  return [encodeMetadataRecord(producerIdsRecord, 0, { brokerId: NO_BROKER, nextProducerId })]
}
