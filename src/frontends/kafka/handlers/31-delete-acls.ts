import { ErrorCode } from '../../../base/error-code.ts'
import { deleteAclsApi } from '../../../wire/kafka/messages/31-delete-acls.ts'
import { defineHandler, type KafkaHandler } from '../handler.ts'

/** DeleteAcls without an authorizer: every filter is refused. */
export function deleteAclsHandler(): KafkaHandler {
  return defineHandler(deleteAclsApi, ({ filters }) => ({
    throttleTimeMs: 0,
    filterResults: filters.map(() => ({
      errorCode: ErrorCode.SECURITY_DISABLED,
      errorMessage: 'No Authorizer is configured.',
      matchingAcls: [],
    })),
  }))
}
