import { isLiteral, isSubscribable } from '../../subjects/subject.ts'
import { isSubset } from '../../subjects/subject-subset.ts'
import {
  type ConsumerConfig,
  filtersOf,
  isDurable,
  isPush,
  type StreamFacts,
} from './consumer-config.ts'
import {
  type ConsumerRefusal,
  ConsumerRefusals,
  descriptionTooLong,
  inactiveThresholdExceeded,
  invalidConfig,
  invalidPolicy,
  invalidSampling,
  maxAckPendingExceeded,
  maxRequestBatchExceeded,
  metadataTooLong,
} from './consumer-refusal.ts'
import { durationText } from './duration-text.ts'

const MILLISECOND = 1_000_000
const SECOND = 1_000_000_000

/** Source: JSMaxDescriptionLen, JSMaxMetadataLen of nats-server. */
const MAX_DESCRIPTION_BYTES = 4 * 1024
const MAX_METADATA_BYTES = 128 * 1024
const GROUP_NAME = /^[a-zA-Z0-9/_=-]{1,16}$/
const FORBIDDEN_IN_NAMES = /[.*>\\/\s]/

type Check = (config: ConsumerConfig, stream: StreamFacts) => ConsumerRefusal | null

/** In the order of nats-server, so that the first thing that is wrong is the same. */
const CHECKS: readonly Check[] = [
  checkNames,
  checkReplicas,
  checkTimes,
  checkFlowControlAcks,
  checkBackoff,
  (config) => (isPush(config) ? null : checkPull(config)),
  checkLimits,
  checkDirect,
  checkFilters,
  checkStart,
  checkSampling,
  checkRest,
  checkPriority,
]

/**
 * @param config with defaults
 * @returns null, or why there can't be such a consumer
 * Source: checkConsumerCfg of nats-server.
 */
export function checkConsumerConfig(
  config: ConsumerConfig,
  stream: StreamFacts,
): ConsumerRefusal | null {
  for (const check of CHECKS) {
    const refusal = check(config, stream)
    if (refusal !== null) return refusal
  }
  return null
}

function checkNames({ name = '', durable_name: durable = '' }: ConsumerConfig) {
  const tail = "can not contain '.', '*', '>', '\\', '/'"
  if (FORBIDDEN_IN_NAMES.test(name)) return invalidConfig(`consumer name ${tail}`)
  if (FORBIDDEN_IN_NAMES.test(durable)) return invalidConfig(`consumer durable name ${tail}`)
  return null
}

function checkReplicas({ num_replicas: replicas }: ConsumerConfig, stream: StreamFacts) {
  if (replicas > 0 && replicas > stream.num_replicas) return ConsumerRefusals.replicasExceedStream
  if (replicas < 0) return ConsumerRefusals.negativeReplicas
  if (stream.retention === 'limits') return null
  const isSame = replicas === 0 || replicas === stream.num_replicas
  return isSame ? null : ConsumerRefusals.replicasMatchStream
}

function checkTimes({ backoff = [], ack_wait = 0 }: ConsumerConfig) {
  if (backoff.some((wait) => wait < 0)) return ConsumerRefusals.negativeBackoff
  return ack_wait < 0 ? ConsumerRefusals.negativeAckWait : null
}

function checkFlowControlAcks(config: ConsumerConfig) {
  if (config.ack_policy !== 'flow_control') return null
  if (!isPush(config)) return ConsumerRefusals.flowAcksNeedPush
  if (!config.flow_control) return ConsumerRefusals.flowAcksNeedFlowControl
  if (config.idle_heartbeat !== SECOND) {
    return invalidConfig('flow control ack policy heartbeat needs to be 1s')
  }
  if ((config.max_ack_pending ?? 0) <= 0) return ConsumerRefusals.flowAcksNeedMaxPending
  if ((config.ack_wait ?? 0) !== 0 || (config.backoff?.length ?? 0) > 0) {
    return ConsumerRefusals.flowAcksNeedNoAckWait
  }
  return (config.max_deliver ?? 0) > 0 ? ConsumerRefusals.flowAcksNeedNoMaxDeliver : null
}

function checkBackoff({ backoff = [], max_deliver = -1, description = '' }: ConsumerConfig) {
  if (backoff.length > 0 && max_deliver !== -1 && backoff.length > max_deliver) {
    return ConsumerRefusals.maxDeliverBelowBackoff
  }
  const isTooLong = description.length > MAX_DESCRIPTION_BYTES
  return isTooLong ? descriptionTooLong(MAX_DESCRIPTION_BYTES) : null
}

function checkPull(config: ConsumerConfig): ConsumerRefusal | null {
  if ((config.rate_limit_bps ?? 0) > 0) return ConsumerRefusals.pullWithRateLimit
  if ((config.idle_heartbeat ?? 0) > 0) return ConsumerRefusals.heartbeatNeedsPush
  if (config.flow_control) return ConsumerRefusals.flowControlNeedsPush
  const { max_expires = 0 } = config
  return max_expires !== 0 && max_expires < MILLISECOND ? ConsumerRefusals.smallMaxExpires : null
}

function checkPush(config: ConsumerConfig, stream: StreamFacts): ConsumerRefusal | null {
  const { deliver_subject: subject = '', idle_heartbeat: heartbeat = 0 } = config
  if (!isLiteral(subject)) return ConsumerRefusals.deliverToWildcards
  if (!isSubject(subject)) return ConsumerRefusals.invalidDeliverSubject
  if (stream.subjects.some((wide) => isSubset(subject, wide))) return ConsumerRefusals.deliverCycle
  if ((config.max_waiting ?? 0) !== 0) return ConsumerRefusals.pushMaxWaiting
  if ((config.max_ack_pending ?? 0) > 0 && config.ack_policy === 'none') {
    return ConsumerRefusals.maxPendingNeedsAcks
  }
  const isSmall = heartbeat > 0 && heartbeat < 100 * MILLISECOND
  return isSmall ? ConsumerRefusals.smallHeartbeat : null
}

function checkLimits(config: ConsumerConfig, stream: StreamFacts): ConsumerRefusal | null {
  if (isPush(config)) {
    const refusal = checkPush(config, stream)
    if (refusal !== null) return refusal
  } else if (config.ack_policy === 'none' && stream.retention === 'workqueue') {
    return ConsumerRefusals.pullNeedsAck
  }
  const { max_ack_pending = 0, inactive_threshold = 0 } = config
  const { consumerMaxAckPending, consumerInactiveThreshold, maxAckPending, maxRequestBatch } =
    stream
  if (!isPush(config) && maxRequestBatch > 0 && (config.max_batch ?? 0) > maxRequestBatch) {
    return maxRequestBatchExceeded(maxRequestBatch)
  }
  if (maxAckPending > 0 && max_ack_pending > maxAckPending) {
    return maxAckPendingExceeded(maxAckPending)
  }
  if (consumerMaxAckPending > 0 && max_ack_pending > consumerMaxAckPending) {
    return maxAckPendingExceeded(consumerMaxAckPending)
  }
  if (consumerInactiveThreshold > 0 && inactive_threshold > consumerInactiveThreshold) {
    return inactiveThresholdExceeded(durationText(consumerInactiveThreshold))
  }
  return null
}

function checkDirect(config: ConsumerConfig): ConsumerRefusal | null {
  if (!config.direct) return null
  if (!isPush(config)) return ConsumerRefusals.directNeedsPush
  return isDurable(config) ? ConsumerRefusals.directNeedsEphemeral : null
}

function checkFilters(config: ConsumerConfig): ConsumerRefusal | null {
  const { filter_subject = '', filter_subjects = [] } = config
  if (filter_subject !== '' && filter_subjects.length > 0) return ConsumerRefusals.duplicateFilters
  if (filter_subjects.includes('')) return ConsumerRefusals.emptyFilter
  const filters = filtersOf(config)
  for (const [index, filter] of filters.entries()) {
    if (!isSubject(filter)) return invalidConfig('malformed subject')
    if (filters.some((other, at) => at !== index && isSubset(filter, other))) {
      return ConsumerRefusals.overlappingFilters
    }
  }
  return null
}

/** How nats-server calls the policies that begin at a place of their own. */
const POLICY_NAMES = { all: 'all', last: 'last', last_per_subject: 'last per subject', new: 'new' }

function checkStart(config: ConsumerConfig): ConsumerRefusal | null {
  const { deliver_policy: policy, opt_start_seq = 0, opt_start_time } = config
  const alsoSet = (name: string, start: string): ConsumerRefusal =>
    invalidPolicy(
      `consumer delivery policy is deliver ${name}, but optional start ${start} is also set`,
    )
  const notSet = (name: string, what: string): ConsumerRefusal =>
    invalidPolicy(`consumer delivery policy is deliver ${name}, but optional ${what} is not set`)

  if (policy === 'by_start_sequence') {
    if (opt_start_seq === 0) return notSet('by start sequence', 'start sequence')
    return opt_start_time === undefined ? null : alsoSet('by start sequence', 'time')
  }
  if (policy === 'by_start_time') {
    if (opt_start_time === undefined) return notSet('by start time', 'start time')
    return opt_start_seq === 0 ? null : alsoSet('by start time', 'start sequence')
  }
  const name = POLICY_NAMES[policy]
  if (opt_start_seq > 0) return alsoSet(name, 'sequence')
  if (opt_start_time !== undefined) return alsoSet(name, 'time')
  const isUnfiltered = filtersOf(config).length === 0
  return policy === 'last_per_subject' && isUnfiltered ? notSet(name, 'filter subject') : null
}

function checkSampling({ sample_freq = '' }: ConsumerConfig): ConsumerRefusal | null {
  if (sample_freq === '') return null
  const digits = sample_freq.replace(/%$/, '')
  if (/^\+?\d+$/.test(digits)) return null
  return invalidSampling(`strconv.Atoi: parsing ${JSON.stringify(digits)}: invalid syntax`)
}

function checkRest(config: ConsumerConfig): ConsumerRefusal | null {
  const { name = '', durable_name: durable = '', metadata = {} } = config
  if (config.flow_control && (config.idle_heartbeat ?? 0) === 0) {
    return ConsumerRefusals.flowControlNeedsHeartbeats
  }
  if (durable !== '' && name !== '' && name !== durable)
    return ConsumerRefusals.durableAndNameDiffer
  let byteCount = 0
  for (const [key, value] of Object.entries(metadata)) {
    byteCount += key.length + value.length
  }
  return byteCount > MAX_METADATA_BYTES ? metadataTooLong(`${MAX_METADATA_BYTES / 1024}KB`) : null
}

function checkPriority(config: ConsumerConfig): ConsumerRefusal | null {
  const { priority_policy: policy = 'none', priority_groups: groups = [] } = config
  if (policy === 'none') {
    if (groups.length > 0) return ConsumerRefusals.groupWithoutPolicy
    return (config.priority_timeout ?? 0) > 0 ? ConsumerRefusals.timeoutWithoutPolicy : null
  }
  if (isPush(config)) return ConsumerRefusals.pushWithGroup
  if (groups.length === 0) return ConsumerRefusals.policyWithoutGroup
  if (groups.includes('')) return ConsumerRefusals.emptyGroup
  return groups.every(isGroupName) ? null : ConsumerRefusals.invalidGroup
}

export function isGroupName(name: string): boolean {
  return GROUP_NAME.test(name)
}

/** Source: IsValidSubject of nats-server. */
function isSubject(subject: string): boolean {
  return isSubscribable(subject) && !/\s/.test(subject)
}
