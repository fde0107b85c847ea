import type { TopicImage } from '../../ports/metadata-store.ts'
import type { FoundIdentity } from './meta-properties.ts'
import type { MetadataReplay } from './metadata-replay.ts'
import { METADATA_VERSION, type MetadataState } from './metadata-state.ts'

/** The newest metadata.version this broker understands: 4.4-IV2. */
const MAX_METADATA_VERSION = 33

/** Ids that stand for no directory in particular. Source: DirectoryId, Kafka 4.4 (KIP-858). */
const RESERVED_DIRECTORY_IDS: readonly string[] = [
  'AAAAAAAAAAAAAAAAAAAAAA',
  'AAAAAAAAAAAAAAAAAAAAAQ',
  'AAAAAAAAAAAAAAAAAAAAAg',
]

/**
 * Why one node can't serve what the metadata describes. What counts is how the log ends, not what
 * there was on the way: a cluster may have shrunk to this node.
 * @returns a sentence with a remedy for each obstacle; empty: nothing stands in the way
 */
export function findObstacles(
  state: MetadataState,
  replay: MetadataReplay,
  identity: FoundIdentity,
): string[] {
  return [
    ...findVersionObstacles(state),
    ...voterObstacles(state, identity),
    ...replicaObstacles(state),
    ...directoryObstacles(state, replay, identity),
    ...remoteStorageObstacles(state),
  ]
}

/** What is known of the version counts even when records that follow can't be read. */
export function findVersionObstacles({ metadataVersion }: MetadataState): string[] {
  if (metadataVersion <= MAX_METADATA_VERSION) return []
  return [
    `the data directory has ${METADATA_VERSION} ${metadataVersion}, and ${MAX_METADATA_VERSION} ` +
      'is the newest this broker reads; use a newer Spool, or another data directory',
  ]
}

/** Those that Apache Kafka 4.4 stumbles over too: it does not start, or waits for ever. */
export function findSharedObstacles(state: MetadataState, identity: FoundIdentity): string[] {
  return [...findVersionObstacles(state), ...voterDirectoryObstacles(state, identity)]
}

function voterObstacles({ voters }: MetadataState, identity: FoundIdentity): string[] {
  const [first, ...others] = voters.voters
  if (first === undefined) return []
  const ids = voters.voters.map(({ nodeId }) => nodeId).join(', ')
  if (others.length > 0) {
    return [
      `the metadata has the voters [${ids}], but one node can only go on alone; ` +
        `remove the controllers other than ${identity.nodeId} with Kafka first`,
    ]
  }
  if (first.nodeId !== identity.nodeId) {
    return [
      `the controller of node ${identity.nodeId} is node ${ids}; only a node that is broker and ` +
        'controller in one can be taken over',
    ]
  }
  return voterDirectoryObstacles({ voters }, identity)
}

function voterDirectoryObstacles(
  { voters }: Pick<MetadataState, 'voters'>,
  { nodeId, directoryId }: FoundIdentity,
): string[] {
  const own = voters.voters.find((voter) => voter.nodeId === nodeId)?.directoryId ?? null
  if (own === null || directoryId === null || own === directoryId) return []
  return [
    `the metadata is led from the log directory ${own}, but meta.properties has ` +
      `directory.id=${directoryId}; put the id of the metadata back into meta.properties`,
  ]
}

function directoryObstacles(
  state: MetadataState,
  replay: MetadataReplay,
  { nodeId, directoryId }: FoundIdentity,
): string[] {
  for (const { brokerId, logDirs } of state.kept.brokers) {
    if (brokerId !== nodeId || logDirs.length <= 1) continue
    return [
      `node ${nodeId} has ${logDirs.length} log directories (log.dirs), but one is what a ` +
        'broker can take over; move all partitions into one with Kafka first',
    ]
  }
  if (directoryId === null) return []
  const isElsewhere = (id: string) => id !== directoryId && !RESERVED_DIRECTORY_IDS.includes(id)
  // The directories of other nodes are no obstacle of their own.
  const names = partitionsWhere(
    state,
    (topic, partition) =>
      isOnlyOn(nodeId, topic, partition) &&
      replay.directoriesOf(topic.topicId, partition).some(isElsewhere),
  )
  if (names.length === 0) return []
  return [
    `${listed(names)} in another log directory than ${directoryId}; ` +
      'move it into this one with Kafka first',
  ]
}

function replicaObstacles(state: MetadataState): string[] {
  const { nodeId } = state.image
  const names = partitionsWhere(state, (topic, index) => !isOnlyOn(nodeId, topic, index))
  const [first] = names
  if (first === undefined) return []
  const at = first.lastIndexOf('-')
  const partition = state.image.topics.get(first.slice(0, at))?.partitions[
    Number(first.slice(at + 1))
  ]
  const more = names.length === 1 ? '' : ` (and ${names.length - 1} more partitions others)`
  return [
    `${first} has the replicas [${partition?.replicas.join(', ')}]${more}, but one node can only ` +
      `serve partitions whose single replica is node ${nodeId}; reassign them with Kafka first`,
  ]
}

function isOnlyOn(nodeId: number, { partitions }: TopicImage, index: number): boolean {
  const replicas = partitions[index]?.replicas ?? []
  return replicas.length === 1 && replicas[0] === nodeId
}

function remoteStorageObstacles({ image }: MetadataState): string[] {
  const names = [...image.topics.keys()].filter(
    (name) => image.configs(2, name).get('remote.storage.enable') === 'true',
  )
  if (names.length === 0) return []
  return [
    `the topic ${names[0]} uses tiered storage (remote.storage.enable), which this broker does ` +
      'not have; switch it off with Kafka first',
  ]
}

function partitionsWhere(
  { image }: MetadataState,
  isMeant: (topic: TopicImage, partition: number) => boolean,
): string[] {
  const names: string[] = []
  for (const topic of image.topics.values()) {
    for (const { partition } of topic.partitions)
      if (isMeant(topic, partition)) names.push(`${topic.name}-${partition}`)
  }
  return names
}

function listed(names: readonly string[]): string {
  return names.length === 1 ? `${names[0]} is` : `${names[0]} and ${names.length - 1} more are`
}
