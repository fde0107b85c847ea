import type { Logger } from '../../ports/logger.ts'
import type { JoinGroupRequest, SyncGroupRequest } from './classic/classic-group-requests.ts'
import type { ConsumerHeartbeatRequest } from './consumer/consumer-group-requests.ts'
import type { PartitionEpochs } from './consumer/partition-epochs.ts'
import type { Group } from './group.ts'
import type { StreamsGroup } from './streams/streams-group.ts'
import type { StreamsHeartbeatRequest } from './streams/streams-group-requests.ts'
import type { Subtopology } from './streams/streams-topology.ts'

/** What a member or a group takes besides the bytes that clients sent, roughly. */
const OBJECT_BYTES = 500
const PENDING_MEMBER_BYTES = 150
const PARTITION_BYTES = 16

/** After a count that found no room, the next one waits: at the limit requests come in floods. */
const RECOUNT_PAUSE_MS = 1000

export interface MemberMemoryOptions {
  /** `spool.max.group.member.bytes` */
  readonly maxBytes: () => number
  /** All groups there are. */
  readonly groups: () => Iterable<Group>
  readonly nowMs: () => number
  readonly logger: Logger
}

/**
 * Bounds what the members of all groups together keep in memory: their protocols, subscriptions and
 * assignments. Kafka bounds neither; whoever may connect could fill its heap.
 *
 * What requests bring is added up, and the groups are counted anew when that reaches the limit, since
 * most of it takes the place of something or is not kept: nobody has to tell of members that leave.
 */
export class MemberMemory {
  readonly #options: MemberMemoryOptions
  #bytes = 0
  #countAgainAtMs = Number.NEGATIVE_INFINITY

  constructor(options: MemberMemoryOptions) {
    this.#options = options
  }

  /** False when there is no room for so many bytes more: then the request is to be refused. */
  admit(byteCount: number): boolean {
    const { maxBytes, groups, nowMs, logger } = this.#options
    const limit = maxBytes()
    if (this.#bytes + byteCount > limit && nowMs() >= this.#countAgainAtMs) {
      this.#bytes = 0
      for (const group of groups()) this.#bytes += bytesOfGroup(group)
      if (this.#bytes + byteCount > limit) {
        this.#countAgainAtMs = nowMs() + RECOUNT_PAUSE_MS
        const fields = { limit, usedBytes: this.#bytes, refusedBytes: byteCount }
        logger.warn('members are refused: spool.max.group.member.bytes is used up', fields)
      }
    }
    if (this.#bytes + byteCount > limit) return false
    this.#bytes += byteCount
    return true
  }
}

export function bytesOfJoin(request: JoinGroupRequest): number {
  const { groupId, client, memberId, groupInstanceId, protocols } = request
  const ids = [groupId, client.clientId, memberId, groupInstanceId ?? '']
  return 2 * OBJECT_BYTES + lengthOf(ids) + bytesOfProtocols(protocols)
}

/** Only a leader brings something. */
export function bytesOfSync({ assignments }: SyncGroupRequest): number {
  let byteCount = 0
  for (const assignment of assignments.values()) byteCount += assignment.byteLength
  return byteCount
}

/** What a heartbeat of KIP-848 and one of KIP-932 have in common. */
type AnyHeartbeat = Pick<
  ConsumerHeartbeatRequest,
  'groupId' | 'client' | 'memberId' | 'memberEpoch' | 'rackId'
> & {
  readonly subscribedTopicNames: readonly string[] | null
  readonly subscribedTopicRegex?: string | null
  readonly instanceId?: string | null
}

/** 0 for a heartbeat that only says that the member is there, or leaves. */
export function bytesOfHeartbeat(request: AnyHeartbeat): number {
  const { memberEpoch, subscribedTopicNames, subscribedTopicRegex = null } = request
  const isJoin = memberEpoch === 0
  if (!isJoin && subscribedTopicNames === null && subscribedTopicRegex === null) return 0
  const { groupId, client, memberId, instanceId, rackId } = request
  const ids = [groupId, client.clientId, memberId, instanceId ?? '', rackId ?? '']
  const wanted = [...(subscribedTopicNames ?? []), subscribedTopicRegex ?? '']
  return (isJoin ? 2 * OBJECT_BYTES + lengthOf(ids) : 0) + lengthOf(wanted)
}

/** What a heartbeat of KIP-1071 brings: a topology, tags, offsets of tasks. */
export function bytesOfStreamsHeartbeat(request: StreamsHeartbeatRequest): number {
  const { memberEpoch, groupId, client, memberId, instanceId, rackId, processId } = request
  const offsetCount = (request.taskOffsets ?? []).length + (request.taskEndOffsets ?? []).length
  const byteCount =
    offsetCount * PARTITION_BYTES +
    lengthOf((request.clientTags ?? []).flatMap(({ key, value }) => [key, value]))
  if (memberEpoch !== 0) return byteCount
  const ids = [groupId, client.clientId, memberId, instanceId ?? '', rackId ?? '', processId ?? '']
  const topologyBytes = bytesOfTopology(request.topology?.subtopologies ?? [])
  return byteCount + 2 * OBJECT_BYTES + lengthOf(ids) + topologyBytes
}

function bytesOfTopology(subtopologies: Iterable<Subtopology>): number {
  let byteCount = 0
  for (const one of subtopologies) {
    byteCount += OBJECT_BYTES + lengthOf([...one.sourceTopics, ...one.repartitionSinkTopics])
    for (const topic of [...one.stateChangelogTopics, ...one.repartitionSourceTopics]) {
      const configs = topic.topicConfigs.flatMap(({ key, value }) => [key, value])
      byteCount += topic.name.length + lengthOf(configs)
    }
    byteCount += one.copartitionGroups.length * PARTITION_BYTES
  }
  return byteCount
}

function bytesOfStreamsGroup({ topology, members, taskOffsets }: StreamsGroup): number {
  let byteCount = bytesOfTopology(topology?.subtopologies.values() ?? [])
  for (const member of members.values()) {
    const ids = [member.memberId, member.clientId, member.instanceId ?? '', member.rackId ?? '']
    const tags = [...member.clientTags].flat()
    byteCount += OBJECT_BYTES + lengthOf([...ids, ...tags, member.processId])
    const { active, standby, warmup } = member.assigned
    for (const tasks of [active, standby, warmup]) {
      for (const partitions of tasks.values()) byteCount += PARTITION_BYTES * partitions.size
    }
    const reported = taskOffsets.get(member.memberId)
    for (const offsets of [reported?.offsets, reported?.endOffsets]) {
      for (const partitions of offsets?.values() ?? []) {
        byteCount += PARTITION_BYTES * partitions.size
      }
    }
  }
  return byteCount
}

function bytesOfGroup(group: Group): number {
  let byteCount = OBJECT_BYTES + group.groupId.length
  if (group.type === 'classic') {
    byteCount += group.pendingJoinMembers.size * PENDING_MEMBER_BYTES
    for (const member of group.members.values()) {
      const ids = [member.memberId, member.clientId, member.groupInstanceId ?? '']
      byteCount += OBJECT_BYTES + lengthOf(ids) + bytesOfProtocols(member.protocols)
      byteCount += member.assignment.byteLength
    }
    return byteCount
  }
  if (group.type === 'streams') return byteCount + bytesOfStreamsGroup(group)
  for (const member of group.members.values()) {
    byteCount += OBJECT_BYTES + lengthOf([member.memberId, member.clientId, member.rackId ?? ''])
    byteCount += lengthOf(member.subscribedTopicNames)
    if (!('classic' in member)) continue
    byteCount += lengthOf([member.instanceId ?? '', member.subscribedTopicRegex ?? ''])
    byteCount += bytesOfProtocols(member.classic?.supportedProtocols ?? [])
    byteCount += PARTITION_BYTES * partitionCountOf(member.assigned)
  }
  return byteCount
}

function partitionCountOf(partitions: PartitionEpochs): number {
  let count = 0
  for (const epochs of partitions.values()) count += epochs.size
  return count
}

function bytesOfProtocols(
  protocols: readonly { readonly name: string; readonly metadata: Buffer }[],
): number {
  let byteCount = 0
  for (const { name, metadata } of protocols) byteCount += name.length + metadata.byteLength
  return byteCount
}

function lengthOf(texts: readonly string[]): number {
  let length = 0
  for (const text of texts) length += text.length
  return length
}
