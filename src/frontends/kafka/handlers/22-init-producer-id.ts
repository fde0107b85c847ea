import { ErrorCode } from '../../../base/error-code.ts'
import type { TransactionCoordinator } from '../../../broker/transactions/transaction-coordinator.ts'
import {
  identityError,
  type ProducerIdentity,
  type ProducerIdentityResult,
} from '../../../broker/transactions/transaction-requests.ts'
import { NO_PRODUCER_EPOCH, NO_PRODUCER_ID } from '../../../records/record-batch.ts'
import {
  type InitProducerIdRequest,
  initProducerIdApi,
} from '../../../wire/kafka/messages/22-init-producer-id.ts'
import { defineHandler, type KafkaHandler } from '../handler.ts'
import { FENCED_SINCE_INIT, fencedCode } from './fenced-code.ts'

export interface InitProducerIdServices {
  /** A producer id nobody had before. */
  readonly nextProducerId: () => Promise<number>
  readonly transactions: Pick<TransactionCoordinator, 'initProducerId'>
}

/**
 * InitProducerId. An idempotent producer gets a new id with epoch 0 at every call (KIP-98), a
 * transactional one the next epoch of its id, by which earlier ones are fenced (KIP-360).
 */
export function initProducerIdHandler(services: InitProducerIdServices): KafkaHandler {
  return defineHandler(initProducerIdApi, async (request, { apiVersion }) => {
    const { errorCode, producerId, producerEpoch } = await identityFor(services, request)
    return {
      throttleTimeMs: 0,
      errorCode: fencedCode(errorCode, apiVersion, FENCED_SINCE_INIT),
      producerId,
      producerEpoch,
    }
  })
}

async function identityFor(
  { nextProducerId, transactions }: InitProducerIdServices,
  request: InitProducerIdRequest,
): Promise<ProducerIdentityResult> {
  const { transactionalId, transactionTimeoutMs: timeoutMs, producerId, producerEpoch } = request
  const hasId = producerId !== NO_PRODUCER_ID
  if (hasId !== (producerEpoch !== NO_PRODUCER_EPOCH)) {
    return identityError(ErrorCode.INVALID_REQUEST)
  }
  const expected: ProducerIdentity | null = hasId ? { producerId, producerEpoch } : null
  if (transactionalId !== null) {
    return transactions.initProducerId({ transactionalId, timeoutMs, expected })
  }
  try {
    return { errorCode: ErrorCode.NONE, producerId: await nextProducerId(), producerEpoch: 0 }
  } catch {
    // The block of ids could not be recorded; clients retry this one.
    return identityError(ErrorCode.COORDINATOR_NOT_AVAILABLE)
  }
}
