import {
  encodeCoordinatorKey,
  encodeCoordinatorValue,
} from '../../../records/internal/coordinator-record.ts'
import {
  type JetStreamStreamRecord,
  jetstreamRemovalFloor,
  jetstreamRemovedBlock,
  jetstreamSourcePositions,
  jetstreamStream,
} from '../../../records/internal/jetstream-stream-records.ts'
import type { EncodedRecord } from '../../coordinator/coordinator-log.ts'
import type { SourcePosition } from '../stream/origin/source-header.ts'
import type { KeptRemovals, RemovalChange } from '../stream/removal-keeper.ts'
import type { StreamConfig } from '../stream/stream-config.ts'
import { nameWithin } from './account-records.ts'

/** The only version there is. */
const VERSION = 0

/** What is kept of a stream besides its log. */
export interface KeptStream {
  readonly name: string
  readonly createdMs: number
  readonly topic: string
  readonly topicId: string
  /** The sequence of offset 0. */
  readonly baseSequence: number
  readonly config: StreamConfig
  /** All subjects it ever had: they say which keys of records are subjects. */
  readonly everySubject: readonly string[]
}

interface Removals {
  floor: number
  readonly blocks: Map<number, Buffer>
}

/** The streams that a log holds. */
export class StreamLedger {
  readonly streams = new Map<string, KeptStream>()
  readonly #removals = new Map<string, Removals>()
  readonly #sourcePositions = new Map<string, readonly SourcePosition[]>()

  replay(record: JetStreamStreamRecord): void {
    switch (record.name) {
      case 'JetStreamStream':
        this.#replayStream(record.key.stream, record.value)
        break
      case 'JetStreamRemovalFloor':
        if (record.value === null) this.#removals.delete(record.key.topicId)
        else this.#removalsFor(record.key.topicId).floor = record.value.sequence
        break
      case 'JetStreamSourcePositions': {
        const { topicId } = record.key
        if (record.value === null) this.#sourcePositions.delete(topicId)
        else this.#sourcePositions.set(topicId, parsed(record.value.positions))
        break
      }
      case 'JetStreamRemovedBlock': {
        const { topicId, block } = record.key
        const { blocks } = this.#removalsFor(topicId)
        if (record.value === null) blocks.delete(block)
        else blocks.set(block, Buffer.from(record.value.removed))
      }
    }
  }

  /** The streams of one account, by their own names. @param account null: that of streams without one */
  ofAccount(account: string | null): StreamLedger {
    const own = new StreamLedger()
    for (const [qualified, kept] of this.streams) {
      const name = nameWithin(account, qualified)
      if (name === null) continue
      const { topicId } = kept
      own.streams.set(name, { ...kept, name })
      const removals = this.#removals.get(topicId)
      if (removals !== undefined) own.#removals.set(topicId, removals)
      const positions = this.#sourcePositions.get(topicId)
      if (positions !== undefined) own.#sourcePositions.set(topicId, positions)
    }
    return own
  }

  removalsOf(topicId: string): KeptRemovals {
    return this.#removals.get(topicId) ?? { floor: 0, blocks: new Map() }
  }

  /** As they were when the front of the log was last given up. */
  sourcePositionsOf(topicId: string): readonly SourcePosition[] {
    return this.#sourcePositions.get(topicId) ?? []
  }

  #removalsFor(topicId: string): Removals {
    const known = this.#removals.get(topicId)
    if (known !== undefined) return known
    const removals = { floor: 0, blocks: new Map<number, Buffer>() }
    this.#removals.set(topicId, removals)
    return removals
  }

  #replayStream(
    name: string,
    value: Extract<JetStreamStreamRecord, { name: 'JetStreamStream' }>['value'],
  ): void {
    if (value === null) {
      this.streams.delete(name)
      return
    }
    const { createTimestamp, topic, topicId, baseSequence } = value
    this.streams.set(name, {
      ...{ name, createdMs: createTimestamp, topic, topicId, baseSequence },
      config: JSON.parse(value.config.toString('utf8')) as StreamConfig,
      everySubject: JSON.parse(value.everySubject.toString('utf8')) as string[],
    })
  }
}

export function streamRecord(kept: KeptStream): EncodedRecord {
  const { name, createdMs, topic, topicId, baseSequence } = kept
  const value = {
    ...{ createTimestamp: createdMs, topic, topicId, baseSequence },
    config: Buffer.from(JSON.stringify(kept.config), 'utf8'),
    everySubject: Buffer.from(JSON.stringify(kept.everySubject), 'utf8'),
  }
  return {
    key: encodeCoordinatorKey(jetstreamStream, { stream: name }),
    value: encodeCoordinatorValue(jetstreamStream, VERSION, value),
  }
}

export function streamTombstone(name: string): EncodedRecord {
  return { key: encodeCoordinatorKey(jetstreamStream, { stream: name }), value: null }
}

/** @param sources kept before messages that tell them go from the log */
export function removalRecords(
  topicId: string,
  change: RemovalChange,
  sources: readonly SourcePosition[] = [],
): EncodedRecord[] {
  const records: EncodedRecord[] = []
  if (change.floor !== null && sources.length > 0) {
    const value = { positions: Buffer.from(JSON.stringify(sources), 'utf8') }
    records.push({
      key: encodeCoordinatorKey(jetstreamSourcePositions, { topicId }),
      value: encodeCoordinatorValue(jetstreamSourcePositions, VERSION, value),
    })
  }
  if (change.floor !== null) {
    const value = { sequence: change.floor }
    records.push({
      key: encodeCoordinatorKey(jetstreamRemovalFloor, { topicId }),
      value: encodeCoordinatorValue(jetstreamRemovalFloor, VERSION, value),
    })
  }
  for (const [block, removed] of change.blocks) {
    records.push({
      key: encodeCoordinatorKey(jetstreamRemovedBlock, { topicId, block }),
      value:
        removed === null
          ? null
          : encodeCoordinatorValue(jetstreamRemovedBlock, VERSION, { removed }),
    })
  }
  return records
}

/** The stream is gone, and so is what was removed of it. */
export function removalTombstones(topicId: string, blocks: Iterable<number>): EncodedRecord[] {
  const records = [
    { key: encodeCoordinatorKey(jetstreamRemovalFloor, { topicId }), value: null },
    { key: encodeCoordinatorKey(jetstreamSourcePositions, { topicId }), value: null },
  ]
  for (const block of blocks) {
    records.push({
      key: encodeCoordinatorKey(jetstreamRemovedBlock, { topicId, block }),
      value: null,
    })
  }
  return records
}

function parsed(positions: Buffer): readonly SourcePosition[] {
  return JSON.parse(positions.toString('utf8')) as SourcePosition[]
}
