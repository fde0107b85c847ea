import { expect, SimFailure } from '../world/sim-failure.ts'
import { matchCompacted } from './compacted-log.ts'
import { lastOffsetOfSent, Promised, type SentBatch } from './sent-batch.ts'

/** A batch as it was read from the log. */
export interface FoundBatch {
  readonly baseOffset: number
  readonly lastOffset: number
  readonly bytes: Buffer
}

/** A log as it was found after a start. */
export interface FoundLog {
  readonly logStartOffset: number
  readonly highWatermark: number
  readonly batches: readonly FoundBatch[]
}

/** The log does not count: base offset and leader epoch are given by the broker. */
const GIVEN_BYTES = [
  [0, 8],
  [12, 16],
] as const

/** What the configs of a topic mean for what may become of its records. */
export interface PartitionRules {
  readonly isDurable: boolean
  readonly canExpire: boolean
  readonly isCompacted: boolean
  readonly keepsTombstones: boolean
}

/** What the clients of a partition know of it: the truth that the log is held against. */
export class PartitionLedger {
  readonly name: string
  /** `spool.durability=fsync`. */
  readonly isDurable: boolean
  /** Retention may take records without being asked. */
  canExpire: boolean
  /** Records of a key may go once there is a newer one. */
  readonly isCompacted: boolean
  /** Compaction may not take the newest record of a key even when it is a tombstone. */
  keepsTombstones: boolean
  /** The power failed without syncs: a segment in the middle may be lost, as with Apache Kafka. */
  mayHaveGaps = false
  /** What should be in the log, in the order of offsets. */
  #batches: SentBatch[] = []
  /** All that was given an offset since the last look at the whole log. */
  #placed = new Map<number, SentBatch[]>()
  /** The log start that a client was told, or read after a start. */
  #logStartOffset = 0
  /** The highest that anybody asked to delete up to. */
  #deleteOffset = 0
  /** Where the log ended at the last start: there may be a gap before it. */
  #foundEndOffset = 0
  /** The highest that any client could see, and that must not be taken back. */
  #highWatermark = 0

  constructor(name: string, topic: PartitionRules) {
    this.name = name
    this.isDurable = topic.isDurable
    this.canExpire = topic.canExpire
    this.isCompacted = topic.isCompacted
    this.keepsTombstones = topic.keepsTombstones
  }

  get batches(): readonly SentBatch[] {
    return this.#batches
  }

  get endOffset(): number {
    const last = this.#batches.at(-1)
    const end = last === undefined ? this.#logStartOffset : lastOffsetOfSent(last) + 1
    return Math.max(end, this.#foundEndOffset)
  }

  holds(batch: SentBatch): boolean {
    return batch.baseOffset >= this.#logStartOffset && this.#batches.includes(batch)
  }

  /** The broker gave a batch its offset: a new one at the end, or the old one of a duplicate. */
  placed(batch: SentBatch, baseOffset: number): void {
    const { name } = this
    if (this.#batches.includes(batch)) {
      expect(
        batch.baseOffset === baseOffset,
        () => `${name}: batch ${batch.id} is at ${batch.baseOffset}, answered was ${baseOffset}`,
      )
      return
    }
    // A duplicate of what retention took, and what is known only by its producer.
    if (baseOffset + batch.recordCount <= this.#logStartOffset) {
      batch.baseOffset = baseOffset
      return
    }
    // The same of what a power failure took out of the middle, which only `spool.durability=os` lets it.
    // Only what is known of its producer can say so.
    const isKnown = batch.producerId >= 0 && this.mayHaveGaps
    if (isKnown && baseOffset + batch.recordCount <= this.#foundEndOffset) return
    // What a full disk refused gives its offsets back.
    while (this.endOffset > baseOffset && this.#batches.length > 0) {
      const last = this.#batches.pop() as SentBatch
      expect(
        last.promised === Promised.NOTHING,
        () => `${name}: offset ${baseOffset} was given again, batch ${last.id} has it for good`,
      )
      last.baseOffset = -1
    }
    expect(
      baseOffset === this.endOffset,
      () =>
        `${name}: batch ${batch.id} got offset ${baseOffset}, the log ends at ${this.endOffset}`,
    )
    batch.baseOffset = baseOffset
    this.#batches.push(batch)
    const others = this.#placed.get(baseOffset)
    if (others === undefined) this.#placed.set(baseOffset, [batch])
    else others.push(batch)
  }

  /** The broker took it back before it was written. */
  refused(batch: SentBatch): void {
    const index = this.#batches.indexOf(batch)
    if (index < 0) return
    this.#batches.splice(index, 1)
    batch.baseOffset = -1
  }

  acknowledged(batch: SentBatch, promised: Promised): void {
    if (batch.promised < promised) batch.promised = promised
  }

  deleteAsked(offset: number): void {
    this.#deleteOffset = Math.max(this.#deleteOffset, offset)
  }

  /** A client was told, so it must hold from now on. */
  logStartTold(offset: number): void {
    this.#logStartOffset = Math.max(this.#logStartOffset, offset)
  }

  /** A client may have seen it, so it must not go back. */
  logStartSeen(offset: number): void {
    if (this.isDurable) this.logStartTold(offset)
  }

  /** A client may have seen it. */
  highWatermarkSeen(offset: number): void {
    if (this.isDurable) this.#highWatermark = Math.max(this.#highWatermark, offset)
  }

  /** What was not synced may be gone. */
  powerFailed(): void {
    if (!this.isDurable) this.mayHaveGaps = true
  }

  /** Compares a read of a running log with what must be there. */
  read(found: readonly FoundBatch[]): void {
    if (this.isCompacted) {
      matchCompacted(
        { name: this.name, logStartOffset: 0, keepsTombstones: false, batches: found },
        this.#batches,
        Promised.NEVER,
      )
      return
    }
    for (const one of found) {
      const expected = this.#batches.find(({ baseOffset }) => baseOffset === one.baseOffset)
      expect(
        expected !== undefined && isSame(expected, one),
        () => `${this.name}: what was read at ${one.baseOffset} is not what was sent`,
      )
    }
  }

  /**
   * Holds the log after a start against everything that clients were told, and takes it as the truth
   * from now on.
   * @param survived the worst that happened since the last look
   */
  check(found: FoundLog, survived: Promised): void {
    const { name } = this
    const { logStartOffset, highWatermark } = found
    expect(
      logStartOffset >= this.#logStartOffset,
      () => `${name}: the log starts at ${logStartOffset}, told was ${this.#logStartOffset}`,
    )
    const limit = this.canExpire
      ? highWatermark
      : Math.max(this.#deleteOffset, this.#logStartOffset)
    expect(
      logStartOffset <= limit,
      () => `${name}: the log starts at ${logStartOffset}, but nobody deleted beyond ${limit}`,
    )
    expect(
      highWatermark >= this.#highWatermark,
      () => `${name}: the high watermark went back to ${highWatermark} from ${this.#highWatermark}`,
    )
    if (this.isCompacted) {
      this.#checkCompacted(found, survived)
      return
    }
    const batches = this.#match(found)
    const kept = new Set(batches)
    for (const batch of this.#batches) {
      const isNeeded = batch.promised >= survived && lastOffsetOfSent(batch) >= logStartOffset
      expect(
        !isNeeded || kept.has(batch),
        () => `${name}: batch ${batch.id} was acknowledged at ${batch.baseOffset} and is gone`,
      )
      if (!kept.has(batch) && batch.baseOffset >= logStartOffset) batch.baseOffset = -1
    }
    this.#accept(found, batches)
  }

  /** All that was given an offset, with that offset: what was refused may be there all the same. */
  #allPlaced(): SentBatch[] {
    for (const [offset, batches] of this.#placed)
      for (const batch of batches) if (batch.baseOffset < 0) batch.baseOffset = offset
    return [...this.#placed.values()].flat()
  }

  #checkCompacted(found: FoundLog, survived: Promised): void {
    const { name, keepsTombstones } = this
    const { highWatermark } = found
    const candidates = [...new Set([...this.#batches, ...this.#allPlaced()])]
    const kept = matchCompacted({ name, keepsTombstones, ...found }, candidates, survived)
    for (const batch of this.#batches) {
      const isLost = lastOffsetOfSent(batch) >= highWatermark
      expect(
        !isLost || batch.promised < survived,
        () => `${name}: batch ${batch.id} was acknowledged at ${batch.baseOffset} and is gone`,
      )
    }
    const end = found.batches.at(-1)
    expect(
      this.mayHaveGaps ||
        (end === undefined ? found.logStartOffset : end.lastOffset + 1) === highWatermark,
      () => `${name}: the last batch ends at ${end?.lastOffset}, the log at ${highWatermark}`,
    )
    // Where a segment may be lost, what is not there may be lost with it; else it was compacted.
    const isThere = (batch: SentBatch): boolean =>
      kept.has(batch) ||
      (!this.mayHaveGaps &&
        this.#batches.includes(batch) &&
        lastOffsetOfSent(batch) < highWatermark)
    const there = candidates.filter(isThere)
    for (const batch of candidates) if (!there.includes(batch)) batch.baseOffset = -1
    there.sort((a, b) => a.baseOffset - b.baseOffset)
    this.#accept(found, there)
  }

  /** The batches that were sent, in the order they were found in; offsets must have no holes. */
  #match({ batches, logStartOffset, highWatermark }: FoundLog): SentBatch[] {
    const { name } = this
    let next = batches[0]?.baseOffset ?? logStartOffset
    expect(
      next <= logStartOffset || this.mayHaveGaps,
      () => `${name}: nothing at the log start ${logStartOffset}`,
    )
    const matched = batches.map((one) => {
      expect(
        one.baseOffset === next || (this.mayHaveGaps && one.baseOffset > next),
        () => `${name}: after offset ${next - 1} comes ${one.baseOffset}`,
      )
      next = one.lastOffset + 1
      const sent = this.#placed.get(one.baseOffset)?.find((batch) => isSame(batch, one))
      if (sent !== undefined) {
        // What was refused may be there all the same.
        sent.baseOffset = one.baseOffset
        return sent
      }
      throw new SimFailure(`${name}: what is at ${one.baseOffset} was never sent: ${describe(one)}`)
    })
    expect(
      next === highWatermark || this.mayHaveGaps,
      () => `${name}: ends at ${next}, not at ${highWatermark}`,
    )
    return matched
  }

  #accept({ logStartOffset, highWatermark }: FoundLog, batches: SentBatch[]): void {
    this.#logStartOffset = logStartOffset
    this.#deleteOffset = logStartOffset
    this.#highWatermark = this.isDurable ? highWatermark : 0
    this.#foundEndOffset = highWatermark
    this.#batches = batches
    this.#placed = new Map(batches.map((batch) => [batch.baseOffset, [batch]]))
    // Whoever reads it now must find it again.
    const promised = this.isDurable ? Promised.POWER_FAILURE : Promised.KILL
    for (const batch of batches) this.acknowledged(batch, promised)
  }
}

function isSame(sent: SentBatch, { bytes, baseOffset, lastOffset }: FoundBatch): boolean {
  if (sent.bytes.byteLength !== bytes.byteLength) return false
  if (lastOffset - baseOffset !== sent.recordCount - 1) return false
  const copy = Buffer.from(bytes)
  for (const [start, end] of GIVEN_BYTES) sent.bytes.copy(copy, start, start, end)
  return copy.equals(sent.bytes)
}

/** What a batch says of itself, to find it in the trace. */
function describe({ bytes, lastOffset }: FoundBatch): string {
  return `${bytes.byteLength} bytes to offset ${lastOffset}, ${bytes.subarray(61, 81).toString('latin1')}`
}
