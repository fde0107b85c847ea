import { ErrorCode } from '../../base/error-code.ts'
import {
  AcknowledgeType,
  type DeliveryLimits,
  DeliveryState,
  type OffsetSpan,
} from './delivery-state.ts'
import type { DeliveryUpdate } from './delivery-update.ts'
import {
  type InFlightBatch,
  type InFlightRange,
  NEVER,
  NO_OWNER,
  NOW,
  startTransition,
} from './in-flight-batch.ts'
import type { WindowState } from './window-state.ts'

/** What a consumer says of records in a row: one word for all, or one for each. */
export interface AcknowledgementBatch extends OffsetSpan {
  readonly types: readonly number[]
}

export interface Refusal {
  readonly errorCode: ErrorCode
  readonly errorMessage: string
}

export interface AcknowledgeRequest {
  readonly owner: string
  readonly batches: readonly AcknowledgementBatch[]
  /** RENEW is allowed. */
  readonly canRenew: boolean
  /** Records that are released are given to nobody for so long. */
  readonly releaseDelayMs?: number
}

/**
 * Takes what a consumer says of records that it was given. The first batch that can't be taken ends
 * it; the caller takes back what is in the update by then.
 * @returns null, or INVALID_RECORD_STATE or INVALID_REQUEST
 * Source: SharePartition.acknowledge of Kafka 4.4.
 */
export function acknowledge(
  state: WindowState,
  request: AcknowledgeRequest,
  limits: DeliveryLimits,
  nowMs: number,
  update: DeliveryUpdate,
): Refusal | null {
  for (const batch of request.batches) {
    if (!batch.types.every(isAcknowledgeType)) {
      return invalidRequest(`Invalid acknowledge type: [${batch.types.join(', ')}]`)
    }
    // The start moved on, by retention or by what others did: nothing is left to say.
    if (batch.lastOffset < state.startOffset) continue
    const known = findBatches(state, batch)
    if (!Array.isArray(known)) return known as Refusal
    for (const inFlight of known as InFlightBatch[]) {
      if (inFlight.lastOffset < state.startOffset) continue
      const refusal = new BatchAcknowledgement(state, request, limits, nowMs, update).apply(
        inFlight,
        batch,
      )
      inFlight.join()
      if (refusal !== null) return refusal
    }
  }
  return null
}

function isAcknowledgeType(type: number): type is AcknowledgeType {
  return type >= AcknowledgeType.GAP && type <= AcknowledgeType.RENEW
}

function findBatches(
  state: WindowState,
  { firstOffset, lastOffset }: AcknowledgementBatch,
): readonly InFlightBatch[] | Refusal {
  const { batches, startOffset } = state
  const hasStartMoved = firstOffset < startOffset && lastOffset >= startOffset
  const floor =
    batches.floor(firstOffset) ?? (hasStartMoved ? batches.floor(startOffset) : undefined)
  if (floor === undefined) {
    return invalidState(
      'Batch record not found. The request batch offsets are not found in the cache.',
    )
  }
  const known = batches.between(floor.firstOffset, lastOffset)
  const lastKnown = known.at(-1)?.lastOffset ?? -1
  if (lastKnown < firstOffset) {
    return invalidRequest(
      'Batch record not found. The first offset in request is past acquired records.',
    )
  }
  if (lastOffset > lastKnown) {
    return invalidRequest(
      'Batch record not found. The last offset in request is past acquired records.',
    )
  }
  return known
}

const ONGOING =
  'The record state is invalid. The acknowledgement of delivery could not be completed.'
const NO_RENEWAL = 'Renewing acquisition locks is not enabled for the group.'

class BatchAcknowledgement {
  readonly #state: WindowState
  readonly #request: AcknowledgeRequest
  readonly #limits: DeliveryLimits
  readonly #nowMs: number
  readonly #update: DeliveryUpdate

  constructor(
    state: WindowState,
    request: AcknowledgeRequest,
    limits: DeliveryLimits,
    nowMs: number,
    update: DeliveryUpdate,
  ) {
    this.#state = state
    this.#request = request
    this.#limits = limits
    this.#nowMs = nowMs
    this.#update = update
  }

  apply(inFlight: InFlightBatch, batch: AcknowledgementBatch): Refusal | null {
    const { whole } = inFlight
    if (whole !== null) {
      const refusal = this.#checkWhole(whole)
      if (refusal !== null) return refusal
    }
    const { firstOffset, lastOffset, types } = batch
    const { startOffset } = this.#state
    const hasStartMoved = inFlight.firstOffset < startOffset && inFlight.lastOffset >= startOffset
    const isWhole = whole !== null && inFlight.isWithin(firstOffset, lastOffset)
    if (isWhole && types.length === 1 && !hasStartMoved) {
      return this.#applyTo(whole, types[0] as AcknowledgeType)
    }
    if (whole !== null && whole.state !== DeliveryState.ACQUIRED) {
      return invalidState(
        'The batch cannot be acknowledged. The subset batch is not in the acquired state.',
      )
    }
    inFlight.split()
    return this.#applyToParts(inFlight, batch)
  }

  #checkWhole(range: InFlightRange): Refusal | null {
    if (range.owner === NO_OWNER) {
      return invalidState(
        'The batch cannot be acknowledged. The batch is not in the acquired state.',
      )
    }
    if (range.owner !== this.#request.owner) {
      return invalidState('Member is not the owner of batch record')
    }
    return range.transition === null ? null : invalidState(ONGOING)
  }

  #applyToParts(
    inFlight: InFlightBatch,
    { firstOffset, lastOffset, types }: AcknowledgementBatch,
  ): Refusal | null {
    let from = Math.max(firstOffset, this.#state.startOffset, inFlight.firstOffset)
    const end = Math.min(lastOffset, inFlight.lastOffset)
    // Offsets in a row of which the same is said are one part.
    while (from <= end) {
      const type = typeAt(types, from - firstOffset)
      let to = types.length === 1 ? end : from
      while (to < end && typeAt(types, to + 1 - firstOffset) === type) to++
      for (const range of inFlight.cut(from, to)) {
        const refusal = this.#checkPart(range) ?? this.#applyTo(range, type)
        if (refusal !== null) return refusal
      }
      from = to + 1
    }
    return null
  }

  #checkPart(range: InFlightRange): Refusal | null {
    if (range.state !== DeliveryState.ACQUIRED) {
      return invalidState('The offset cannot be acknowledged. The offset is not acquired.')
    }
    if (range.transition !== null) return invalidState(ONGOING)
    if (range.owner === this.#request.owner) return null
    return invalidState('Member is not the owner of offset')
  }

  #applyTo(range: InFlightRange, type: AcknowledgeType): Refusal | null {
    if (range.state !== DeliveryState.ACQUIRED) {
      return invalidState(
        'The batch cannot be acknowledged. The batch is not in the acquired state.',
      )
    }
    if (type === AcknowledgeType.RENEW) return this.#renew(range)
    const { maxDeliveryCount, hasDeadLetters } = this.#limits
    const next = stateAfter(type, hasDeadLetters)
    const move = { state: next, owner: NO_OWNER, maxDeliveryCount, hasDeadLetters }
    const { releaseDelayMs = 0 } = this.#request
    const releasedMs = releaseDelayMs === 0 ? NOW : this.#nowMs + releaseDelayMs
    const isReleased = next === DeliveryState.AVAILABLE && range.deliveryCount < maxDeliveryCount
    const transition = startTransition(range, move, isReleased ? releasedMs : NEVER)
    if (transition === null) return invalidState('Unable to acknowledge records for the batch')
    const isRejected = type === AcknowledgeType.REJECT
    this.#update.add(range, transition, isRejected ? 'rejected' : 'exhausted')
    return null
  }

  #renew(range: InFlightRange): Refusal | null {
    if (!this.#request.canRenew) return invalidState(NO_RENEWAL)
    this.#state.setDue(range, this.#nowMs + this.#limits.lockDurationMs(range.deliveryCount))
    return null
  }
}

function stateAfter(type: AcknowledgeType, hasDeadLetters: boolean): DeliveryState {
  switch (type) {
    case AcknowledgeType.ACCEPT:
      return DeliveryState.ACKNOWLEDGED
    case AcknowledgeType.RELEASE:
      return DeliveryState.AVAILABLE
    case AcknowledgeType.REJECT:
      return hasDeadLetters ? DeliveryState.ARCHIVING : DeliveryState.ARCHIVED
    default:
      return DeliveryState.ARCHIVED
  }
}

function typeAt(types: readonly number[], index: number): AcknowledgeType {
  return (types.length === 1 ? types[0] : types[index]) as AcknowledgeType
}

function invalidState(errorMessage: string): Refusal {
  return { errorCode: ErrorCode.INVALID_RECORD_STATE, errorMessage }
}

function invalidRequest(errorMessage: string): Refusal {
  return { errorCode: ErrorCode.INVALID_REQUEST, errorMessage }
}
