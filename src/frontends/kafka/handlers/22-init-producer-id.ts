import { ErrorCode } from '../../../base/error-code.ts'
import { initProducerIdApi } from '../../../wire/kafka/messages/22-init-producer-id.ts'
import { defineHandler, type KafkaHandler } from '../handler.ts'

export interface InitProducerIdServices {
  /** A producer id nobody had before. */
  readonly nextProducerId: () => Promise<number>
}

/**
 * InitProducerId for idempotent producers (KIP-98): every call gives a new id with epoch 0.
 * A transactional id is refused: there is no transaction coordinator yet.
 */
export function initProducerIdHandler(services: InitProducerIdServices): KafkaHandler {
  return defineHandler(initProducerIdApi, async ({ transactionalId }) => {
    if (transactionalId !== null) {
      const errorCode =
        transactionalId === '' ? ErrorCode.INVALID_REQUEST : ErrorCode.UNSUPPORTED_VERSION
      return { throttleTimeMs: 0, errorCode, producerId: -1, producerEpoch: -1 }
    }
    try {
      const producerId = await services.nextProducerId()
      return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, producerId, producerEpoch: 0 }
    } catch {
      // The block of ids could not be recorded; clients retry this one.
      const errorCode = ErrorCode.COORDINATOR_NOT_AVAILABLE
      return { throttleTimeMs: 0, errorCode, producerId: -1, producerEpoch: -1 }
    }
  })
}
