import { ErrorCode } from '../../../base/error-code.ts'
import { describeAclsApi } from '../../../wire/kafka/messages/29-describe-acls.ts'
import { defineHandler, type KafkaHandler } from '../handler.ts'

/** DescribeAcls without an authorizer. */
export function describeAclsHandler(): KafkaHandler {
  return defineHandler(describeAclsApi, () => ({
    throttleTimeMs: 0,
    errorCode: ErrorCode.SECURITY_DISABLED,
    errorMessage: 'No Authorizer is configured on the broker',
    resources: [],
  }))
}
