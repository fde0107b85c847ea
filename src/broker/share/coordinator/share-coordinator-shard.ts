import { assert } from '../../../base/assert.ts'
import { ErrorCode } from '../../../base/error-code.ts'
import { decodeShareRecord } from '../../../records/internal/share-records.ts'
import type { EncodedRecord } from '../../coordinator/coordinator-log.ts'
import type { CoordinatorMachine, Reply, Turn } from '../../coordinator/coordinator-turn.ts'
import type { ShareCoordinatorConfig } from './share-coordinator-config.ts'
import { coordinatorKeyOf, type SharePartitionKey } from './share-partition-key.ts'
import {
  shareTombstone,
  snapshotRecord,
  stateAfterUpdate,
  stateOfSnapshot,
  updateRecord,
} from './share-records.ts'
import {
  NO_COMPLETE_COUNT,
  NO_START_OFFSET,
  type ReadShareStateResult,
  readError,
  type ShareOutcome,
  type ShareState,
  type ShareStateSummary,
  type ShareStateWrite,
  summaryError,
} from './share-state.ts'
import { SnapshotOffsets } from './snapshot-offsets.ts'
import { combineStateBatches } from './state-batches.ts'

export type ShareTimerEvent = { readonly kind: 'snapshotColdPartitions' }
type ShareTurn = Turn<ShareTimerEvent>

export interface ShareShardOptions {
  readonly config: () => ShareCoordinatorConfig
  /** False for what the topics of the cluster do not have. */
  readonly isPartition: (topicId: string, partition: number) => boolean
  /** Where the next record will be in the log, once it was replayed. */
  readonly nextOffset: () => number
}

interface Entry {
  readonly key: SharePartitionKey
  state: ShareState
  /** The newest epochs that a request had, which may be newer than the state. */
  leaderEpoch: number
  stateEpoch: number
  updateCount: number
}

const DONE: ShareOutcome = { errorCode: ErrorCode.NONE, errorMessage: null }
const SNAPSHOT_TIMER = 'snapshot'
const NEGATIVE_PARTITION = 'The partition id cannot be a negative number.'
const NEGATIVE_LEADER_EPOCH = 'The leader epoch cannot be a negative number.'
const NEGATIVE_STATE_EPOCH = 'The state epoch cannot be a negative number.'

/**
 * The share partitions of one partition of `__share_group_state`: a state machine that keeps what the
 * leaders of partitions tell it, as a snapshot and updates to it.
 * Source: ShareCoordinatorShard of Kafka 4.4 (KIP-932).
 */
export class ShareCoordinatorShard implements CoordinatorMachine<ShareTimerEvent> {
  readonly #options: ShareShardOptions
  readonly #entries = new Map<string, Entry>()
  readonly #snapshots = new SnapshotOffsets()
  #nextOffset = 0

  constructor(options: ShareShardOptions) {
    this.#options = options
  }

  /** See `SnapshotOffsets.neededFrom`. */
  get neededFrom(): number | null {
    return this.#snapshots.neededFrom
  }

  initialize(
    key: SharePartitionKey,
    stateEpoch: number,
    startOffset: number,
    reply: Reply<ShareOutcome>,
    turn: ShareTurn,
  ): void {
    const known = this.#entries.get(coordinatorKeyOf(key))
    const refusal =
      checkNumbers([key.partition, NEGATIVE_PARTITION], [stateEpoch, NEGATIVE_STATE_EPOCH]) ??
      checkEpoch(known?.stateEpoch, stateEpoch, ErrorCode.FENCED_STATE_EPOCH) ??
      this.#checkPartition(key)
    if (refusal !== null) {
      turn.reply(reply, refusal)
      return
    }
    this.#snapshot(
      key,
      {
        snapshotEpoch: known === undefined ? 0 : known.state.snapshotEpoch + 1,
        stateEpoch,
        leaderEpoch: 0,
        startOffset,
        deliveryCompleteCount: startOffset === NO_START_OFFSET ? NO_COMPLETE_COUNT : 0,
        stateBatches: [],
        createTimestampMs: turn.nowMs,
        writeTimestampMs: turn.nowMs,
      },
      turn,
    )
    turn.reply(reply, DONE)
  }

  /** The leader of the partition takes over; leaders before it are fenced from now on. */
  read(
    key: SharePartitionKey,
    leaderEpoch: number,
    reply: Reply<ReadShareStateResult>,
    turn: ShareTurn,
  ): void {
    const entry = this.#entries.get(coordinatorKeyOf(key))
    const refusal =
      checkNumbers([key.partition, NEGATIVE_PARTITION], [leaderEpoch, NEGATIVE_LEADER_EPOCH]) ??
      checkKnown(entry, 'Read') ??
      checkEpoch(entry?.leaderEpoch, leaderEpoch, ErrorCode.FENCED_LEADER_EPOCH) ??
      this.#checkPartition(key)
    if (refusal !== null) {
      turn.reply(reply, readError(refusal.errorCode, refusal.errorMessage))
      return
    }
    assert(entry !== undefined, 'what is not known was refused')
    const { stateEpoch, startOffset, stateBatches } = entry.state
    if (entry.leaderEpoch !== leaderEpoch) {
      const { deliveryCompleteCount } = entry.state
      const write = {
        stateEpoch,
        leaderEpoch,
        startOffset,
        deliveryCompleteCount,
        stateBatches: [],
      }
      this.#write(entry, write, leaderEpoch, turn)
    }
    turn.reply(reply, { ...DONE, stateEpoch, startOffset, stateBatches })
  }

  write(
    key: SharePartitionKey,
    write: ShareStateWrite,
    reply: Reply<ShareOutcome>,
    turn: ShareTurn,
  ): void {
    const entry = this.#entries.get(coordinatorKeyOf(key))
    const { leaderEpoch, stateEpoch } = write
    const refusal =
      checkNumbers(
        [key.partition, NEGATIVE_PARTITION],
        [leaderEpoch, NEGATIVE_LEADER_EPOCH],
        [stateEpoch, NEGATIVE_STATE_EPOCH],
      ) ??
      checkKnown(entry, 'Write') ??
      checkEpoch(entry?.leaderEpoch, leaderEpoch, ErrorCode.FENCED_LEADER_EPOCH) ??
      checkEpoch(entry?.stateEpoch, stateEpoch, ErrorCode.FENCED_STATE_EPOCH) ??
      this.#checkPartition(key)
    if (refusal === null && entry !== undefined) {
      this.#write(entry, write, entry.state.leaderEpoch, turn)
    }
    turn.reply(reply, refusal ?? DONE)
  }

  delete(key: SharePartitionKey, reply: Reply<ShareOutcome>, turn: ShareTurn): void {
    const refusal = checkNumbers([key.partition, NEGATIVE_PARTITION]) ?? this.#checkPartition(key)
    if (refusal === null && this.#entries.has(coordinatorKeyOf(key))) this.#forget(key, turn)
    turn.reply(reply, refusal ?? DONE)
  }

  /** Of a share partition that is not known: no start offset, and no error. */
  readSummary(key: SharePartitionKey, reply: Reply<ShareStateSummary>, turn: ShareTurn): void {
    const refusal = checkNumbers([key.partition, NEGATIVE_PARTITION]) ?? this.#checkPartition(key)
    const state = this.#entries.get(coordinatorKeyOf(key))?.state
    turn.reply(
      reply,
      refusal === null
        ? {
            ...DONE,
            stateEpoch: state?.stateEpoch ?? 0,
            leaderEpoch: state?.leaderEpoch ?? 0,
            startOffset: state?.startOffset ?? NO_START_OFFSET,
            deliveryCompleteCount: state?.deliveryCompleteCount ?? NO_COMPLETE_COUNT,
          }
        : summaryError(refusal.errorCode, refusal.errorMessage),
    )
  }

  topicDeleted(topicId: string, reply: Reply<null>, turn: ShareTurn): void {
    for (const { key } of [...this.#entries.values()]) {
      if (key.topicId === topicId) this.#forget(key, turn)
    }
    turn.reply(reply, null)
  }

  replay(key: Buffer, value: Buffer | null, offset: number): void {
    const record = decodeShareRecord(key, value)
    if (record === undefined) return
    const partitionKey = record.key
    const name = coordinatorKeyOf(partitionKey)
    const known = this.#entries.get(name)
    if (record.value === null) {
      this.#entries.delete(name)
      this.#snapshots.forget(name)
    } else if (record.name === 'ShareSnapshot') {
      this.#put(partitionKey, stateOfSnapshot(record.value))
      this.#snapshots.snapshotAt(name, offset)
    } else {
      this.#put(partitionKey, stateAfterUpdate(known?.state, record.value))
      const entry = this.#entries.get(name)
      if (entry !== undefined) entry.updateCount++
    }
  }

  /** There are no transactions in this log. */
  replayTransactionEnd(): void {}

  loaded(turn: ShareTurn): void {
    this.#nextOffset = this.#options.nextOffset()
    this.#scheduleSnapshots(turn)
  }

  timerFired(_event: ShareTimerEvent, turn: ShareTurn): void {
    const intervalMs = this.#options.config().coldPartitionSnapshotIntervalMs
    const entries = [...this.#entries.values()]
    // Once all are cold, further snapshots would free nothing.
    const hasWarm = entries.some(({ state }) => state.createTimestampMs === state.writeTimestampMs)
    for (const { key, state } of hasWarm ? entries : []) {
      if (turn.nowMs - state.writeTimestampMs < intervalMs) continue
      // Its old snapshot would keep the log from being pruned.
      const snapshotEpoch = state.snapshotEpoch + 1
      this.#snapshot(key, { ...state, snapshotEpoch, writeTimestampMs: turn.nowMs }, turn)
    }
    this.#scheduleSnapshots(turn)
  }

  parkedReplies(): readonly Reply<never>[] {
    return []
  }

  #checkPartition({ topicId, partition }: SharePartitionKey): ShareOutcome | null {
    if (this.#options.isPartition(topicId, partition)) return null
    return {
      errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
      errorMessage: 'This server does not host this topic-partition.',
    }
  }

  /** After a number of updates a snapshot is written in their place. */
  #write(entry: Entry, write: ShareStateWrite, leaderEpoch: number, turn: ShareTurn): void {
    const { key, state } = entry
    const startOffset = Math.max(write.startOffset, state.startOffset)
    const deliveryCompleteCount = completeCountAfter(write, state)
    const stateBatches = combineStateBatches(state.stateBatches, write.stateBatches, startOffset)
    const next = { ...state, startOffset, leaderEpoch, deliveryCompleteCount, stateBatches }
    if (entry.updateCount >= this.#options.config().updatesPerSnapshot) {
      const timestamps = { createTimestampMs: turn.nowMs, writeTimestampMs: turn.nowMs }
      const snapshotEpoch = state.snapshotEpoch + 1
      this.#snapshot(key, { ...next, ...timestamps, snapshotEpoch }, turn)
      return
    }
    const added = combineStateBatches([], write.stateBatches, startOffset)
    this.#append(updateRecord(key, { ...next, stateBatches: added }), turn)
    entry.updateCount++
    this.#put(key, next)
  }

  #snapshot(key: SharePartitionKey, state: ShareState, turn: ShareTurn): void {
    const offset = this.#append(snapshotRecord(key, state), turn)
    this.#put(key, state)
    this.#snapshots.snapshotAt(coordinatorKeyOf(key), offset)
  }

  #forget(key: SharePartitionKey, turn: ShareTurn): void {
    this.#append(shareTombstone(key), turn)
    this.#entries.delete(coordinatorKeyOf(key))
    this.#snapshots.forget(coordinatorKeyOf(key))
  }

  /** @returns the offset that the record gets: nobody else writes here, and the order is kept */
  #append(record: EncodedRecord, turn: ShareTurn): number {
    turn.append(record)
    return this.#nextOffset++
  }

  #put(key: SharePartitionKey, state: ShareState): void {
    const name = coordinatorKeyOf(key)
    const known = this.#entries.get(name)
    const leaderEpoch = Math.max(state.leaderEpoch, known?.leaderEpoch ?? 0)
    const stateEpoch = Math.max(state.stateEpoch, known?.stateEpoch ?? 0)
    const isSnapshot = state.snapshotEpoch !== known?.state.snapshotEpoch
    const updateCount = isSnapshot ? 0 : known.updateCount
    this.#entries.set(name, { key, state, leaderEpoch, stateEpoch, updateCount })
  }

  #scheduleSnapshots(turn: ShareTurn): void {
    const { coldPartitionSnapshotIntervalMs } = this.#options.config()
    turn.schedule(SNAPSHOT_TIMER, coldPartitionSnapshotIntervalMs, {
      kind: 'snapshotColdPartitions',
    })
  }
}

function completeCountAfter(write: ShareStateWrite, state: ShareState): number {
  if (write.startOffset < state.startOffset) return state.deliveryCompleteCount
  if (write.startOffset > state.startOffset) return write.deliveryCompleteCount
  return Math.max(write.deliveryCompleteCount, state.deliveryCompleteCount)
}

function checkNumbers(...checks: readonly (readonly [number, string])[]): ShareOutcome | null {
  for (const [value, errorMessage] of checks) {
    if (value < 0) return { errorCode: ErrorCode.INVALID_REQUEST, errorMessage }
  }
  return null
}

function checkKnown(entry: Entry | undefined, operation: string): ShareOutcome | null {
  if (entry !== undefined) return null
  const errorMessage = `${operation} operation on uninitialized share partition not allowed.`
  return { errorCode: ErrorCode.INVALID_REQUEST, errorMessage }
}

function checkEpoch(
  known: number | undefined,
  asked: number,
  errorCode: ErrorCode,
): ShareOutcome | null {
  if (known === undefined || known <= asked) return null
  const errorMessage =
    errorCode === ErrorCode.FENCED_STATE_EPOCH
      ? 'The coordinator rejected the request because the state epoch did not match.'
      : 'The leader epoch in the request is older than the epoch on the broker.'
  return { errorCode, errorMessage }
}
