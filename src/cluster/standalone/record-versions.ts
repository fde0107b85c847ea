/**
 * In which versions the records of metadata are written: as old as the `metadata.version` of the
 * cluster asks, so that the Kafka it came from reads them. Source: MetadataVersion, Kafka 4.4.
 */

/** 3.7-IV2: partitions know their log directories. */
const DIRECTORIES_SINCE = 17
/** 4.0-IV1: partitions know their eligible leader replicas. */
const ELIGIBLE_LEADERS_SINCE = 23

/** Versions of PartitionRecord and PartitionChangeRecord. */
export function partitionVersion(metadataVersion: number): number {
  if (metadataVersion >= ELIGIBLE_LEADERS_SINCE) return 2
  return metadataVersion >= DIRECTORIES_SINCE ? 1 : 0
}

export function registerBrokerVersion(metadataVersion: number): number {
  if (metadataVersion >= 30) return 4
  if (metadataVersion >= DIRECTORIES_SINCE) return 3
  return metadataVersion >= 8 ? 2 : 1
}
