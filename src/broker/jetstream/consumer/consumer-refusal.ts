/** Why a request about consumers is refused, in JetStream's own numbers and words. */
export interface ConsumerRefusal {
  /** As in HTTP. */
  readonly code: number
  readonly err_code: number
  readonly description: string
}

function refusal(err_code: number, description: string, code = 400): ConsumerRefusal {
  return { code, err_code, description }
}

/** Source: errors.json of nats-server. */
export const ConsumerRefusals = {
  consumerNotFound: refusal(10014, 'consumer not found', 404),
  maximumConsumers: refusal(10026, 'maximum consumers limit reached'),
  deliverToWildcards: refusal(10079, 'consumer deliver subject has wildcards'),
  pushMaxWaiting: refusal(10080, 'consumer in push mode can not set max waiting'),
  deliverCycle: refusal(10081, 'consumer deliver subject forms a cycle'),
  maxPendingNeedsAcks: refusal(10082, 'consumer requires ack policy for max ack pending'),
  smallHeartbeat: refusal(10083, 'consumer idle heartbeat needs to be >= 100ms'),
  pullNeedsAck: refusal(
    10084,
    'consumer in pull mode requires explicit ack policy on workqueue stream',
  ),
  pullWithRateLimit: refusal(10086, 'consumer in pull mode can not have rate limit set'),
  heartbeatNeedsPush: refusal(10088, 'consumer idle heartbeat requires a push based consumer'),
  flowControlNeedsPush: refusal(10089, 'consumer flow control requires a push based consumer'),
  directNeedsPush: refusal(10090, 'consumer direct requires a push based consumer'),
  directNeedsEphemeral: refusal(10091, 'consumer direct requires an ephemeral consumer'),
  workQueueNeedsExplicitAck: refusal(10098, 'workqueue stream requires explicit ack'),
  workQueueManyUnfiltered: refusal(
    10099,
    'multiple non-filtered consumers not allowed on workqueue stream',
  ),
  workQueueNotUnique: refusal(10100, 'filtered consumer not unique on workqueue stream'),
  workQueueNotDeliverAll: refusal(10101, 'consumer must be deliver all on workqueue stream'),
  badName: refusal(10103, "durable name can not contain '.', '*', '>'"),
  flowControlNeedsHeartbeats: refusal(10108, 'consumer with flow control also needs heartbeats'),
  invalidDeliverSubject: refusal(10112, 'invalid push consumer deliver subject'),
  smallMaxExpires: refusal(10115, 'consumer max request expires needs to be >= 1ms'),
  maxDeliverBelowBackoff: refusal(
    10116,
    'max deliver is required to be > length of backoff values',
  ),
  replicasExceedStream: refusal(10126, 'consumer config replica count exceeds parent stream'),
  durableAndNameDiffer: refusal(
    10132,
    'Consumer Durable and Name have to be equal if both are provided',
  ),
  negativeReplicas: refusal(10133, 'replicas count cannot be negative'),
  replicasMatchStream: refusal(
    10134,
    "consumer config replicas must match interest retention stream's replicas",
  ),
  duplicateFilters: refusal(
    10136,
    'consumer cannot have both FilterSubject and FilterSubjects specified',
  ),
  overlappingFilters: refusal(10138, 'consumer subject filters cannot overlap'),
  emptyFilter: refusal(10139, 'consumer filter in FilterSubjects cannot be empty'),
  alreadyExists: refusal(10148, 'consumer already exists'),
  doesNotExist: refusal(10149, 'consumer does not exist'),
  policyWithoutGroup: refusal(
    10159,
    'Setting PriorityPolicy requires at least one PriorityGroup to be set',
  ),
  unknownGroup: refusal(10160, 'Provided priority group does not exist for this consumer'),
  emptyGroup: refusal(10161, 'Group name cannot be an empty string'),
  invalidGroup: refusal(
    10162,
    'Valid priority group name must match A-Z, a-z, 0-9, -_/=)+ and may not exceed 16 characters',
  ),
  pushWithGroup: refusal(10178, 'priority groups can not be used with push consumers'),
  negativeAckWait: refusal(10183, 'consumer ack wait needs to be positive'),
  negativeBackoff: refusal(10184, 'consumer backoff needs to be positive'),
  groupWithoutPolicy: refusal(10196, 'consumer can not have priority groups when policy is none'),
  timeoutWithoutPolicy: refusal(10197, 'PinnedTTL cannot be set when PriorityPolicy is none'),
  flowAcksNeedPush: refusal(10218, 'flow control ack policy requires a push based consumer'),
  flowAcksNeedFlowControl: refusal(10219, 'flow control ack policy requires flow control'),
  flowAcksNeedMaxPending: refusal(10220, 'flow control ack policy requires max ack pending'),
  flowAcksNeedNoAckWait: refusal(10221, 'flow control ack policy requires unset ack wait'),
  flowAcksNeedNoMaxDeliver: refusal(10222, 'flow control ack policy requires unset max deliver'),
} as const

/** The create request as a whole is refused for a reason that has no number of its own. */
export function createRefusal(reason: string): ConsumerRefusal {
  return refusal(10012, reason, 500)
}

export function invalidPolicy(reason: string): ConsumerRefusal {
  return refusal(10094, reason)
}

export function invalidSampling(reason: string): ConsumerRefusal {
  return refusal(10095, `failed to parse consumer sampling configuration: ${reason}`)
}

export function nameTooLong(maxBytes: number): ConsumerRefusal {
  return refusal(10102, `consumer name is too long, maximum allowed is ${maxBytes}`)
}

export function descriptionTooLong(maxBytes: number): ConsumerRefusal {
  return refusal(10107, `consumer description is too long, maximum allowed is ${maxBytes}`)
}

export function maxAckPendingExceeded(maxCount: number): ConsumerRefusal {
  return refusal(10121, `consumer max ack pending exceeds system limit of ${maxCount}`)
}

export function maxRequestBatchExceeded(maxCount: number): ConsumerRefusal {
  return refusal(10125, `consumer max request batch exceeds server limit of ${maxCount}`)
}

export function metadataTooLong(maxText: string): ConsumerRefusal {
  return refusal(10135, `consumer metadata exceeds maximum size of ${maxText}`)
}

export function inactiveThresholdExceeded(maxText: string): ConsumerRefusal {
  return refusal(10153, `consumer inactive threshold exceeds system limit of ${maxText}`)
}

/** What a careful client asked to be told of. */
export function pedantic(reason: string): ConsumerRefusal {
  return refusal(10157, `pedantic mode: ${reason}`)
}

/** Source: a consumer's wrong names and subjects come with the number of streams. */
export function invalidConfig(reason: string): ConsumerRefusal {
  return refusal(10052, reason, 500)
}

export function invalidReset(reason: string): ConsumerRefusal {
  return refusal(10204, `invalid reset: ${reason}`)
}
