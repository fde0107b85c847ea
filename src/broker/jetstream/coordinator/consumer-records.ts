import {
  encodeCoordinatorKey,
  encodeCoordinatorValue,
} from '../../../records/internal/coordinator-record.ts'
import {
  type JetStreamConsumerRecord,
  jetstreamConsumer,
  jetstreamConsumerState,
} from '../../../records/internal/jetstream-consumer-records.ts'
import type { EncodedRecord } from '../../coordinator/coordinator-log.ts'
import type { ConsumerConfig } from '../consumer/consumer-config.ts'
import type { ConsumerStateChange } from '../consumer/consumer-state.ts'

/** The only version there is. */
const VERSION = 0

type StateValue = NonNullable<
  Extract<JetStreamConsumerRecord, { name: 'JetStreamConsumerState' }>['value']
>

/** Which consumer a record is about. */
export interface ConsumerKey {
  readonly stream: string
  readonly consumer: string
}

export function consumerRecord(
  key: ConsumerKey,
  config: ConsumerConfig,
  createdMs: number,
): EncodedRecord {
  const value = { createTimestamp: createdMs, config: Buffer.from(JSON.stringify(config), 'utf8') }
  return {
    key: encodeCoordinatorKey(jetstreamConsumer, key),
    value: encodeCoordinatorValue(jetstreamConsumer, VERSION, value),
  }
}

export function consumerTombstone(key: ConsumerKey): EncodedRecord {
  return { key: encodeCoordinatorKey(jetstreamConsumer, key), value: null }
}

export function stateRecord(
  key: ConsumerKey,
  slot: number,
  change: ConsumerStateChange,
): EncodedRecord {
  return {
    key: encodeCoordinatorKey(jetstreamConsumerState, { ...key, slot }),
    value: encodeCoordinatorValue(jetstreamConsumerState, VERSION, {
      isWhole: change.isWhole ? 1 : 0,
      deliveredConsumerSequence: change.delivered.consumer,
      deliveredStreamSequence: change.delivered.stream,
      ackFloorConsumerSequence: change.ackFloor.consumer,
      ackFloorStreamSequence: change.ackFloor.stream,
      pending: [...change.pending],
      finished: change.finished.map(({ firstOffset, lastOffset }) => ({
        firstSequence: firstOffset,
        lastSequence: lastOffset,
      })),
      exhausted: [...change.exhausted],
    }),
  }
}

export function stateTombstone(key: ConsumerKey, slot: number): EncodedRecord {
  return { key: encodeCoordinatorKey(jetstreamConsumerState, { ...key, slot }), value: null }
}

export function stateChangeOf(value: StateValue): ConsumerStateChange {
  return {
    isWhole: value.isWhole === 1,
    delivered: {
      consumer: value.deliveredConsumerSequence,
      stream: value.deliveredStreamSequence,
    },
    ackFloor: {
      consumer: value.ackFloorConsumerSequence,
      stream: value.ackFloorStreamSequence,
    },
    pending: value.pending,
    finished: value.finished.map(({ firstSequence, lastSequence }) => ({
      firstOffset: firstSequence,
      lastOffset: lastSequence,
    })),
    exhausted: value.exhausted,
  }
}
