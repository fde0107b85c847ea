import { ErrorCode } from '../../../base/error-code.ts'
import { FINAL_EPOCH } from '../../../broker/share/share-sessions.ts'
import {
  type ShareAcknowledgeResponse,
  shareAcknowledgeApi,
} from '../../../wire/kafka/messages/79-share-acknowledge.ts'
import { defineHandler, type KafkaHandler } from '../handler.ts'
import {
  type AcknowledgeServices,
  acknowledgeAll,
  byTopic,
  isShareMemberId,
} from './share-requests.ts'

/** First version that may renew locks (KIP-1222). */
const RENEW_SINCE = 2

/** ShareAcknowledge: what became of records, without a fetch (KIP-932). */
export function shareAcknowledgeHandler(services: AcknowledgeServices): KafkaHandler {
  const { shares } = services
  return defineHandler(shareAcknowledgeApi, async (request, { apiVersion }) => {
    const { groupId, memberId, shareSessionEpoch, topics, isRenewAck } = request
    if (groupId === null) return failure(ErrorCode.INVALID_REQUEST)
    if (!isShareMemberId(memberId)) return failure(ErrorCode.INVALID_REQUEST)
    const errorCode = shares.sessions.acknowledged(groupId, memberId, shareSessionEpoch)
    if (errorCode !== ErrorCode.NONE) return failure(errorCode)
    const knowsRenew = apiVersion >= RENEW_SINCE
    const asked = { groupId, memberId, topics, knowsRenew, isRenewAck }
    const outcomes = await acknowledgeAll(services, asked)
    // What was not acknowledged goes to others.
    if (shareSessionEpoch === FINAL_EPOCH) await shares.releaseSession(groupId, memberId)
    return {
      throttleTimeMs: 0,
      errorCode: ErrorCode.NONE,
      errorMessage: null,
      acquisitionLockTimeoutMs: shares.config.ofGroup(groupId).recordLockDurationMs,
      responses: [...byTopic(outcomes)].map(([topicId, partitions]) => ({
        topicId,
        partitions: partitions.map(({ partition, errorCode: code, errorMessage }) => ({
          partitionIndex: partition,
          errorCode: code,
          errorMessage,
          currentLeader: { leaderId: 0, leaderEpoch: 0 },
        })),
      })),
      nodeEndpoints: [],
    }
  })
}

function failure(errorCode: ErrorCode): ShareAcknowledgeResponse {
  return {
    throttleTimeMs: 0,
    errorCode,
    errorMessage: null,
    acquisitionLockTimeoutMs: 0,
    responses: [],
    nodeEndpoints: [],
  }
}
