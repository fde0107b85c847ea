import { ErrorCode } from '../../../base/error-code.ts'
import {
  type FindCoordinatorRequest,
  findCoordinatorApi,
} from '../../../wire/kafka/messages/10-find-coordinator.ts'
import { defineHandler, type Endpoint, type KafkaHandler } from '../handler.ts'

/** Says whether this broker coordinates a key: NONE, or why it can't be used now. */
interface CoordinatorLocator {
  locate(key: string): ErrorCode
}

export interface FindCoordinatorServices {
  readonly nodeId: number
  readonly groups: CoordinatorLocator
  /** Missing while this broker has no such coordinator. */
  readonly transactions?: CoordinatorLocator
  readonly shares?: CoordinatorLocator
}

/** Kinds of coordinators. Source: FindCoordinatorRequest.CoordinatorType */
const KeyType = { GROUP: 0, TRANSACTION: 1, SHARE: 2 } as const

/** First version with several keys in one request (KIP-699). */
const KEYS_SINCE = 4
/** First version that may ask for share coordinators (KIP-932). */
const SHARE_KEYS_SINCE = 6

interface Located {
  readonly errorCode: ErrorCode
  /** Empty: the code says it all. */
  readonly message: string
}

/**
 * FindCoordinator. This broker coordinates everything; where a kind of coordinator is missing the
 * answer is UNSUPPORTED_VERSION: clients give up on it at once with our text, while they would ask
 * for COORDINATOR_NOT_AVAILABLE again until their own timeout.
 */
export function findCoordinatorHandler(services: FindCoordinatorServices): KafkaHandler {
  return defineHandler(findCoordinatorApi, (request, { apiVersion, connection }) => {
    const { nodeId } = services
    const { advertised } = connection
    if (apiVersion < KEYS_SINCE) {
      const { errorCode, message } = locate(services, request, request.key, apiVersion)
      const place = placeOf(errorCode, nodeId, advertised)
      const errorMessage = message === '' ? messageOf(errorCode) : message
      return { errorCode, errorMessage, ...place }
    }
    return {
      coordinators: request.coordinatorKeys.map((key) => {
        const { errorCode, message } = locate(services, request, key, apiVersion)
        const place = placeOf(errorCode, nodeId, advertised)
        return { key, ...place, errorCode, errorMessage: message }
      }),
    }
  })
}

function locate(
  { groups, transactions, shares }: FindCoordinatorServices,
  { keyType }: FindCoordinatorRequest,
  key: string,
  apiVersion: number,
): Located {
  switch (keyType) {
    case KeyType.GROUP:
      return located(groups.locate(key))
    case KeyType.TRANSACTION:
      return locateIn(transactions, key, 'transaction')
    case KeyType.SHARE:
      if (apiVersion < SHARE_KEYS_SINCE) {
        return refused(`a share coordinator is found with version ${SHARE_KEYS_SINCE} or later`)
      }
      if (!isShareKey(key)) {
        return refused('the key of a share coordinator is groupId:topicId:partition')
      }
      return locateIn(shares, key, 'share')
    default:
      return refused(`coordinator type ${keyType} is unknown`)
  }
}

const located = (errorCode: ErrorCode): Located => ({ errorCode, message: '' })

const refused = (message: string): Located => ({ errorCode: ErrorCode.INVALID_REQUEST, message })

function locateIn(locator: CoordinatorLocator | undefined, key: string, kind: string): Located {
  if (locator !== undefined) return located(locator.locate(key))
  const message = `this broker has no ${kind} coordinator`
  return { errorCode: ErrorCode.UNSUPPORTED_VERSION, message }
}

/** A group id may hold colons; a topic id is 22 characters base64url and never all zero. */
function isShareKey(key: string): boolean {
  return /^.+:(?!A{22}:)[A-Za-z0-9_-]{22}:\d{1,10}$/s.test(key)
}

const placeOf = (errorCode: ErrorCode, nodeId: number, { host, port }: Endpoint) =>
  errorCode === ErrorCode.NONE ? { nodeId, host, port } : { nodeId: -1, host: '', port: -1 }

function messageOf(errorCode: ErrorCode): string {
  return errorCode === ErrorCode.NONE ? 'NONE' : 'The coordinator is not available.'
}
