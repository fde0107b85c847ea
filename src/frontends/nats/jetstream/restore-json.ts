import { ProtocolError } from '../../../base/errors.ts'
import {
  isDurable,
  type StreamFacts,
  withRequiredLevel,
} from '../../../broker/jetstream/consumer/consumer-config.ts'
import { withDefaults } from '../../../broker/jetstream/consumer/consumer-defaults.ts'
import type {
  ConsumerStateChange,
  PendingRun,
  SequencePair,
} from '../../../broker/jetstream/consumer/consumer-state.ts'
import { checkConsumerConfig } from '../../../broker/jetstream/consumer/consumer-validation.ts'
import type { KeptConsumer } from '../../../broker/jetstream/consumer/stream-consumers.ts'
import type { ArchiveEntry } from '../../../broker/jetstream/stream/backup/restore-archive.ts'
import { byteJson, parseByteJson } from './byte-json.ts'
import { parseCreateRequest } from './consumer-config-json.ts'
import { isObject } from './stream-config-json.ts'

type Fields = Readonly<Record<string, unknown>>

/** What a backup says of its stream. */
export interface BackupState {
  readonly firstSequence: number
  readonly lastSequence: number
  readonly consumerCount: number
}

/** Where a consumer comes to. */
export interface ConsumerPlace {
  readonly stream: string
  readonly facts: StreamFacts
  readonly createdMs: number
  /** Of the stream. */
  readonly lastSequence: number
}

const PREFIX = 'consumers/'

/** @throws ProtocolError */
export function backupState({ name, payload }: ArchiveEntry): BackupState {
  if (name !== 'state.json') throw new ProtocolError('expected state.json first')
  const state = objectIn(payload, 'state.json')
  return {
    firstSequence: countIn(state, 'first_seq'),
    lastSequence: countIn(state, 'last_seq'),
    consumerCount: countIn(state, 'consumer_count'),
  }
}

/** @throws ProtocolError */
export function backupConsumer(
  { name, payload }: ArchiveEntry,
  { stream, facts, createdMs, lastSequence }: ConsumerPlace,
): KeptConsumer {
  if (!name.startsWith(PREFIX)) throw new ProtocolError(`expected consumer, found "${name}"`)
  const consumer = name.slice(PREFIX.length)
  const { config, state } = objectIn(payload, name)
  if (!isObject(config)) throw new ProtocolError(`consumer "${consumer}" is missing config`)
  if (!isObject(state)) throw new ProtocolError(`consumer "${consumer}" is missing state`)
  const parsed = parseCreateRequest(byteJson({ stream_name: stream, config }))
  if (typeof parsed === 'string') throw new ProtocolError(`consumer "${consumer}": ${parsed}`)
  const filled = withDefaults(parsed.config, facts, false)
  const refusal = 'err_code' in filled ? filled : checkConsumerConfig(filled, facts)
  if (refusal !== null || 'err_code' in filled) {
    throw new ProtocolError(`consumer "${consumer}": ${refusal?.description}`)
  }
  const own = filled.durable_name || filled.name || consumer
  if (own !== consumer || consumer === '' || /[.*>\s/\\]/.test(consumer)) {
    throw new ProtocolError(`consumer "${consumer}" has a wrong name`)
  }
  const named = withRequiredLevel(isDurable(filled) ? { ...filled, name: consumer } : filled)
  return { stream, name: consumer, config: named, createdMs, state: [stateOf(state, lastSequence)] }
}

/** @param lastSequence of the stream */
function stateOf(state: Fields, lastSequence: number): ConsumerStateChange {
  const pending = isObject(state['pending']) ? state['pending'] : {}
  const redelivered = isObject(state['redelivered']) ? state['redelivered'] : {}
  const runs: PendingRun[] = Object.entries(pending).map(([key, value]) => {
    const sequence = Number(key)
    if (!Number.isSafeInteger(sequence) || sequence < 1 || !isObject(value)) {
      throw new ProtocolError('a pending message of a consumer can not be read')
    }
    return {
      firstSequence: sequence,
      lastSequence: sequence,
      firstConsumerSequence: countIn(value, 'Sequence'),
      deliveryCount: countIn(redelivered, key) + 1,
    }
  })
  runs.sort((a, b) => a.firstSequence - b.firstSequence)
  const delivered = placeIn(state, 'delivered')
  const ackFloor = placeIn(state, 'ack_floor')
  const isInside = ({ firstSequence, firstConsumerSequence }: PendingRun): boolean =>
    firstSequence > ackFloor.stream &&
    firstSequence <= Math.min(delivered.stream, lastSequence) &&
    firstConsumerSequence <= delivered.consumer
  const isInOrder = ackFloor.stream <= delivered.stream && ackFloor.consumer <= delivered.consumer
  if (!isInOrder || !runs.every(isInside)) {
    throw new ProtocolError('the state of a consumer contradicts itself')
  }
  return {
    ...{ isWhole: true, delivered, ackFloor },
    pending: runs,
    finished: [],
    exhausted: [],
  }
}

function placeIn(state: Fields, name: string): SequencePair {
  const place = state[name] ?? {}
  if (!isObject(place)) throw new ProtocolError(`${name} of a consumer can not be read`)
  return { consumer: countIn(place, 'consumer_seq'), stream: countIn(place, 'stream_seq') }
}

function objectIn(payload: Buffer, what: string): Fields {
  let value: unknown
  try {
    value = parseByteJson(payload)
  } catch (cause) {
    throw new ProtocolError(`error in ${what}: it is no JSON`, { cause })
  }
  if (!isObject(value)) throw new ProtocolError(`error in ${what}: it is no object`)
  return value
}

/** A count, 0 when there is none. */
function countIn(fields: Fields, name: string): number {
  const value = fields[name] ?? 0
  if (!Number.isSafeInteger(value) || (value as number) < 0) {
    throw new ProtocolError(`${name} of the backup is no count`)
  }
  return value as number
}
