import { ErrorCode, errorName } from '../../../src/base/error-code.ts'
import { offsetCommitApi } from '../../../src/wire/kafka/messages/08-offset-commit.ts'
import { findCoordinatorApi } from '../../../src/wire/kafka/messages/10-find-coordinator.ts'
import { heartbeatApi } from '../../../src/wire/kafka/messages/12-heartbeat.ts'
import { KafkaConnection } from '../../support/kafka-connection.ts'

const GROUP_COORDINATOR = 0
const NOT_YET: ReadonlySet<number> = new Set([
  ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
  ErrorCode.COORDINATOR_NOT_AVAILABLE,
  ErrorCode.NOT_COORDINATOR,
])
const LIMIT_MS = 30_000
const RETRY_MS = 10

/** What members of one group work with. */
export interface MemberOptions {
  readonly bootstrap: string
  readonly groupId: string
  readonly topic: string
  /** Of the topic, as the protocol has it. */
  readonly topicId: string
  readonly partitionCount: number
}

/** @throws Error that names what was refused, and how */
export function mustBeNone(what: string, errorCode: number | undefined): void {
  if (errorCode === undefined) throw new Error(`${what}: no answer`)
  if (errorCode !== 0) throw new Error(`${what}: ${errorName(errorCode as ErrorCode)}`)
}

/** A connection to the coordinator of a group, when there is one and it has loaded. */
export async function openToCoordinator(options: MemberOptions): Promise<KafkaConnection> {
  const connection = await KafkaConnection.open(options.bootstrap)
  const deadline = performance.now() + LIMIT_MS
  for (;;) {
    const errorCode = await coordinatorError(connection, options)
    if (errorCode === 0) return connection
    if (performance.now() > deadline) mustBeNone('no coordinator', errorCode)
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
  }
}

/** A new broker names a coordinator a moment before that one knows of its groups. */
async function coordinatorError(
  connection: KafkaConnection,
  { groupId }: MemberOptions,
): Promise<number> {
  const request = { key: groupId, keyType: GROUP_COORDINATOR }
  const { errorCode } = await connection.call(findCoordinatorApi, 3, request)
  if (errorCode !== 0) return errorCode
  const stranger = { groupId, generationId: 0, memberId: 'stranger', groupInstanceId: null }
  const heartbeat = await connection.call(heartbeatApi, 4, stranger)
  return NOT_YET.has(heartbeat.errorCode) ? heartbeat.errorCode : 0
}

/** OffsetCommit of one offset for each of the partitions. @throws Error with the refusal */
export async function commitOffsets(
  connection: KafkaConnection,
  { groupId, topic }: MemberOptions,
  member: { readonly memberId: string; readonly generation: number },
  partitions: readonly number[],
  committedOffset: number,
): Promise<void> {
  const answer = await connection.call(offsetCommitApi, 9, {
    groupId,
    generationIdOrMemberEpoch: member.generation,
    memberId: member.memberId,
    groupInstanceId: null,
    topics: [
      {
        name: topic,
        partitions: partitions.map((partitionIndex) => ({
          partitionIndex,
          committedOffset,
          committedMetadata: '',
        })),
      },
    ],
  })
  for (const { errorCode } of answer.topics[0]?.partitions ?? [])
    mustBeNone('cannot commit', errorCode)
}
