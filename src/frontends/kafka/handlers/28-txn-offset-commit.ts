import { ErrorCode } from '../../../base/error-code.ts'
import { OFFSETS_TOPIC } from '../../../broker/coordinator/internal-topics.ts'
import type { GroupCoordinator } from '../../../broker/groups/group-coordinator.ts'
import type { OffsetCommitTopic, TopicErrors } from '../../../broker/groups/offset-requests.ts'
import type { TransactionAdmission } from '../../../broker/transactions/transaction-admission.ts'
import type { MetadataStore } from '../../../ports/metadata-store.ts'
import {
  type TxnOffsetCommitRequest,
  txnOffsetCommitApi,
} from '../../../wire/kafka/messages/28-txn-offset-commit.ts'
import { defineHandler, type KafkaHandler } from '../handler.ts'
import { commitToTopics } from './offset-commit-topics.ts'

export interface TxnOffsetCommitServices {
  readonly groups: Pick<GroupCoordinator, 'commitTransactionalOffsets'>
  readonly admission: Pick<TransactionAdmission, 'admit'>
  readonly metadata: Pick<MetadataStore, 'image'>
}

/** First version with topic ids in place of names. */
const TOPIC_IDS_SINCE = 6
/** First version that makes the group part of the transaction by itself (KIP-890 part 2). */
const ADDS_SINCE = 5
/** First version that knows TRANSACTION_ABORTABLE. */
const ABORTABLE_SINCE = 4
/** First version that knows COORDINATOR_LOAD_IN_PROGRESS. */
const LOAD_IN_PROGRESS_SINCE = 2

/** TxnOffsetCommit: offsets that hold when the producer commits (KIP-98, KIP-447). */
export function txnOffsetCommitHandler(services: TxnOffsetCommitServices): KafkaHandler {
  return defineHandler(txnOffsetCommitApi, async (request, { apiVersion }) => {
    const isById = apiVersion >= TOPIC_IDS_SINCE
    const { image } = services.metadata
    const topics = await commitToTopics(request.topics, isById, image, (known) =>
      commit(services, request, known, apiVersion),
    )
    if (apiVersion >= LOAD_IN_PROGRESS_SINCE) return { throttleTimeMs: 0, topics }
    const known = topics.map((topic) => ({
      ...topic,
      partitions: topic.partitions.map(({ partitionIndex, errorCode }) => ({
        partitionIndex,
        errorCode:
          errorCode === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS
            ? ErrorCode.COORDINATOR_NOT_AVAILABLE
            : errorCode,
      })),
    }))
    return { throttleTimeMs: 0, topics: known }
  })
}

function commit(
  { groups, admission }: TxnOffsetCommitServices,
  request: TxnOffsetCommitRequest,
  topics: readonly OffsetCommitTopic[],
  apiVersion: number,
): Promise<readonly TopicErrors[]> {
  const { transactionalId, groupId, producerId, producerEpoch } = request
  const { memberId, groupInstanceId, generationIdOrMemberEpoch: generationId } = request
  const member = { generationId, memberId, groupInstanceId }
  return groups.commitTransactionalOffsets(
    { groupId, producerId, producerEpoch, ...member, topics },
    (index, done) => {
      admission.admit(
        {
          ...{ transactionalId, producerId, producerEpoch },
          partitions: [{ topic: OFFSETS_TOPIC, partition: index }],
          mayAdd: apiVersion >= ADDS_SINCE,
          knowsAbortable: apiVersion >= ABORTABLE_SINCE,
        },
        ([errorCode = ErrorCode.UNKNOWN_SERVER_ERROR]) => done(errorCode),
      )
    },
  )
}
