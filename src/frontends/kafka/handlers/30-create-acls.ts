import { ErrorCode } from '../../../base/error-code.ts'
import { createAclsApi } from '../../../wire/kafka/messages/30-create-acls.ts'
import { defineHandler, type KafkaHandler } from '../handler.ts'

/** CreateAcls without an authorizer: every one is refused. */
export function createAclsHandler(): KafkaHandler {
  return defineHandler(createAclsApi, ({ creations }) => ({
    throttleTimeMs: 0,
    results: creations.map(() => ({
      errorCode: ErrorCode.SECURITY_DISABLED,
      errorMessage: 'No Authorizer is configured.',
    })),
  }))
}
