import { ProtocolError } from '../../../base/errors.ts'
import {
  consumerProtocolAssignment,
  consumerProtocolSubscription,
  decodeConsumerProtocol,
  encodeConsumerProtocol,
} from '../../../records/internal/consumer-protocol.ts'
import {
  type Assignment,
  addPartition,
  type MutableAssignment,
  NO_ASSIGNMENT,
} from '../assignors/assignment.ts'
import type { GroupTopics } from '../group-step.ts'
import type { TopicPartitions } from './partition-epochs.ts'

/** What a classic consumer says in JoinGroup. */
interface ClassicSubscription {
  /** Sorted, each once. */
  readonly topicNames: readonly string[]
  readonly rackId: string | null
  readonly owned: readonly { readonly topic: string; readonly partitions: readonly number[] }[]
}

/** An assignor of the client keeps something in the assignments that would be lost. */
export class UnknownAssignorError extends Error {
  override readonly name = 'UnknownAssignorError'
}

/** The newest version that is known here. */
const [, NEWEST_VERSION] = consumerProtocolAssignment.versions

/** @throws ProtocolError when there are no bytes, or they are malformed */
export function readSubscription(metadata: Buffer | undefined): ClassicSubscription {
  if (metadata === undefined) throw new ProtocolError('a classic member has no protocol')
  const decoded = decodeConsumerProtocol(consumerProtocolSubscription, metadata)
  return {
    topicNames: [...new Set(decoded.topics)].sort(),
    rackId: decoded.rackId === '' ? null : decoded.rackId,
    owned: decoded.ownedPartitions,
  }
}

/** Of topics that are gone there is no id, so the member has none of them. */
export function ownedPartitions(
  { owned }: ClassicSubscription,
  { topics }: GroupTopics,
): TopicPartitions[] {
  return owned.flatMap(({ topic, partitions }) => {
    const topicId = topics.get(topic)?.topicId
    return topicId === undefined ? [] : [{ topicId, partitions }]
  })
}

/**
 * @throws ProtocolError when the bytes are malformed
 * @throws UnknownAssignorError when they hold more than partitions
 */
export function assignedPartitions(bytes: Buffer, { topics }: GroupTopics): Assignment {
  if (bytes.length === 0) return NO_ASSIGNMENT
  const decoded = decodeConsumerProtocol(consumerProtocolAssignment, bytes)
  if ((decoded.userData?.length ?? 0) > 0) throw new UnknownAssignorError('user data would be lost')
  const assignment: MutableAssignment = new Map()
  for (const { topic, partitions } of decoded.assignedPartitions) {
    const topicId = topics.get(topic)?.topicId
    if (topicId === undefined) continue
    for (const partition of partitions) addPartition(assignment, topicId, partition)
  }
  return assignment
}

/** As the client's assignor would have written it, in the version that the client subscribed with. */
export function encodedAssignment(
  assignment: Assignment,
  subscription: Buffer | undefined,
  { topicsById }: GroupTopics,
): Buffer {
  const version = subscription === undefined ? 0 : subscription.readInt16BE(0)
  return encodeConsumerProtocol(consumerProtocolAssignment, Math.min(version, NEWEST_VERSION), {
    assignedPartitions: [...assignment].flatMap(([topicId, partitions]) => {
      const topic = topicsById.get(topicId)?.name
      return topic === undefined ? [] : [{ topic, partitions: [...partitions] }]
    }),
    userData: null,
  })
}
