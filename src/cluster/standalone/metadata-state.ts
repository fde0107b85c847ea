import { ClusterImage } from '../metadata-image.ts'
import { KeptRecords } from './kept-records.ts'
import { QuorumVoters } from './quorum-voters.ts'

/** All that the metadata log says: what a snapshot must hold. */
export class MetadataState {
  /** What this broker serves. */
  readonly image: ClusterImage
  /** What it does not serve, but must not lose. */
  readonly kept = new KeptRecords()
  readonly voters = new QuorumVoters()

  constructor(clusterId: string, nodeId: number) {
    this.image = new ClusterImage(clusterId, nodeId)
  }

  /** 0 before any record about it. */
  get metadataVersion(): number {
    return this.image.features.get(METADATA_VERSION) ?? 0
  }
}

export const METADATA_VERSION = 'metadata.version'
