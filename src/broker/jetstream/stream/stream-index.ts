import { assert } from '../../../base/assert.ts'
import {
  BLOCK_MESSAGES,
  countFlagged,
  countMessages,
  findFlagged,
  findMessage,
  MessageBlock,
} from './message-block.ts'
import type { PassingIds, SubjectFilter } from './subject-filter.ts'
import { SubjectTable } from './subject-table.ts'

/** To go through the messages at hand costs less than to go through more subjects than these. */
const FEW_SUBJECTS = 64

const NOTHING = Number.POSITIVE_INFINITY

/** Below so many unused subjects they may stay. */
const MIN_UNUSED = 1024

/** Up to so many subjects a block is asked for each of them before it is searched. */
const MAX_HINTED = 16

/**
 * What a stream knows of its messages without reading them: subject, size and time of each, and for
 * each subject how many there are, the first and the last. Sequences only rise. It takes 16 bytes for
 * each sequence from the first message to the last, and some hundred for each subject.
 */
export class StreamIndex {
  #subjects = new SubjectTable()
  /** Of consecutive sequences, whole blocks; null: no message is there. */
  #blocks: (MessageBlock | null)[] = []
  #firstBlock: number
  #firstSequence: number
  #lastSequence: number
  messageCount = 0
  byteCount = 0

  /** @param firstSequence the one that the first message can have */
  constructor(firstSequence: number) {
    this.#firstSequence = firstSequence
    this.#lastSequence = firstSequence - 1
    this.#firstBlock = blockOf(firstSequence)
  }

  /** Of the messages; `lastSequence + 1` when there is none. */
  get firstSequence(): number {
    return this.#firstSequence
  }

  /** The last that was given, though its message may be gone. */
  get lastSequence(): number {
    return this.#lastSequence
  }

  get subjects(): SubjectTable {
    return this.#subjects
  }

  append(sequence: number, subject: string, size: number, timestampMs: number): void {
    assert(sequence > this.#lastSequence, 'sequences of a stream rise')
    const block = this.#blockFor(sequence, timestampMs)
    const id = this.#subjects.idFor(subject)
    block.set(sequence - block.firstSequence, id, size, timestampMs)
    const count = this.#subjects.countOf(id)
    if (count > 0) this.#link(this.#subjects.lastOf(id), sequence)
    this.#subjects.set(id, count + 1, count === 0 ? sequence : this.#subjects.firstOf(id), sequence)
    if (this.messageCount === 0) this.#firstSequence = sequence
    this.#lastSequence = sequence
    this.messageCount++
    this.byteCount += size
  }

  /** Everything up to the sequence that has no message yet never gets one. */
  skipTo(sequence: number): void {
    if (sequence <= this.#lastSequence) return
    this.#lastSequence = sequence
    if (this.messageCount === 0) this.#firstSequence = sequence + 1
  }

  has(sequence: number): boolean {
    return this.#subjectIdAt(sequence) !== 0
  }

  /** The message must be there, as for `sizeOf` and `timeOf`. */
  subjectOf(sequence: number): string {
    return this.#subjects.subject(this.#subjectIdAt(sequence))
  }

  sizeOf(sequence: number): number {
    const block = this.#block(sequence)
    return block === null ? 0 : (block.sizes[sequence - block.firstSequence] as number)
  }

  timeOf(sequence: number): number {
    const block = this.#block(sequence)
    return block === null ? 0 : block.timeOf(sequence - block.firstSequence)
  }

  countOf(subject: string): number {
    return this.#subjects.countOf(this.#subjects.idOf(subject))
  }

  /** 0 when the subject has no message. */
  firstOf(subject: string): number {
    const id = this.#subjects.idOf(subject)
    return this.#subjects.countOf(id) === 0 ? 0 : this.#subjects.firstOf(id)
  }

  lastOf(subject: string): number {
    const id = this.#subjects.idOf(subject)
    return this.#subjects.countOf(id) === 0 ? 0 : this.#subjects.lastOf(id)
  }

  /** @returns whether a message was there */
  remove(sequence: number): boolean {
    const block = this.#block(sequence)
    const index = sequence - (block?.firstSequence ?? 0)
    const id = block?.subjects[index] ?? 0
    if (block === null || id === 0) return false
    this.messageCount--
    this.byteCount -= block.sizes[index] as number
    block.remove(index)
    this.#leaveSubject(id, sequence)
    if (sequence === this.#firstSequence) this.#moveFirst()
    this.#forgetUnused()
    return true
  }

  /** First message at or after `from`; Infinity: none. */
  next(from: number): number {
    let at = Math.max(from, this.#firstSequence)
    while (at <= this.#lastSequence) {
      const block = this.#block(at)
      if (block !== null && block.messageCount > 0) {
        const found = findMessage(block.subjects, at - block.firstSequence, BLOCK_MESSAGES)
        if (found !== -1) return block.firstSequence + found
      }
      at = endOfBlock(at)
    }
    return NOTHING
  }

  /** Last message at or before `from`; 0: none. */
  previous(from: number): number {
    for (let at = Math.min(from, this.#lastSequence); at >= this.#firstSequence; at--) {
      if (this.has(at)) return at
    }
    return 0
  }

  nextSequence(from: number, filter: SubjectFilter): number {
    if (filter.isAll) return this.next(from)
    if (from > this.#lastSequence) return NOTHING
    const passing = filter.idsIn(this.#subjects)
    const { flags } = passing
    if (passing.ids.length > FEW_SUBJECTS) {
      const near = this.#nextInBlock(Math.max(from, this.#firstSequence), flags)
      if (near !== NOTHING) return near
    }
    const nearest = this.#nearest(passing, from)
    if (nearest.isExact) return nearest.sequence
    let at = Math.max(from, nearest.sequence)
    while (at <= this.#lastSequence) {
      const block = this.#block(at)
      if (block !== null && block.messageCount > 0 && mayHaveAny(block, passing.ids)) {
        const index = at - block.firstSequence
        const found = findFlagged(block.subjects, index, BLOCK_MESSAGES, flags)
        if (found !== -1) return block.firstSequence + found
      }
      at = endOfBlock(at)
    }
    return NOTHING
  }

  pendingCount(from: number, filter: SubjectFilter): number {
    if (from > this.#lastSequence) return 0
    if (filter.isAll) return this.#countFrom(from, null)
    const passing = filter.idsIn(this.#subjects)
    const { flags } = passing
    const isNearEnd = this.#lastSequence - from < BLOCK_MESSAGES
    if (isNearEnd && passing.ids.length > FEW_SUBJECTS) return this.#countFrom(from, flags)
    let count = 0
    let isSplit = false
    for (const id of passing.ids) {
      if (this.#subjects.countOf(id) === 0 || this.#subjects.lastOf(id) < from) continue
      if (this.#subjects.firstOf(id) < from) isSplit = true
      count += this.#subjects.countOf(id)
    }
    return isSplit ? this.#countFrom(from, flags) : count
  }

  /**
   * The last message of each subject that passes, ascending.
   * @param upTo later ones do not count
   */
  lastPerSubject(filter: SubjectFilter, upTo = this.#lastSequence): number[] {
    const found: number[] = []
    const add = (id: number): void => {
      if (this.#subjects.countOf(id) === 0 || this.#subjects.firstOf(id) > upTo) return
      const last = this.#subjects.lastOf(id)
      found.push(last <= upTo ? last : this.#lastUpTo(id, upTo))
    }
    if (filter.isAll) for (let id = 1; id < this.#subjects.count; id++) add(id)
    else {
      const passing = filter.idsIn(this.#subjects)
      if (passing.flags.length > 0) for (const id of passing.ids) add(id)
    }
    return found.sort((a, b) => a - b)
  }

  /** First message stored at or after a time; `lastSequence + 1`: none. */
  sequenceAtTime(timestampMs: number): number {
    for (let at = this.#firstSequence; at <= this.#lastSequence; at = endOfBlock(at)) {
      const block = this.#block(at)
      if (block === null || block.maxTimeMs < timestampMs) continue
      for (let index = at - block.firstSequence; index < BLOCK_MESSAGES; index++) {
        if (block.subjects[index] !== 0 && block.timeOf(index) >= timestampMs) {
          return block.firstSequence + index
        }
      }
    }
    return this.#lastSequence + 1
  }

  /** How many messages each subject that passes has. */
  *countsPerSubject(filter: SubjectFilter): Generator<[subject: string, count: number]> {
    const { flags } = filter.idsIn(this.#subjects)
    for (let id = 1; id < this.#subjects.count; id++) {
      const count = this.#subjects.countOf(id)
      if (count > 0 && (filter.isAll || flags[id] === 1)) yield [this.#subjects.subject(id), count]
    }
  }

  #subjectIdAt(sequence: number): number {
    const block = this.#block(sequence)
    return block === null ? 0 : (block.subjects[sequence - block.firstSequence] as number)
  }

  #block(sequence: number): MessageBlock | null {
    return this.#blocks[blockOf(sequence) - this.#firstBlock] ?? null
  }

  #blockFor(sequence: number, timestampMs: number): MessageBlock {
    if (this.#blocks.length === 0) this.#firstBlock = blockOf(sequence)
    const at = blockOf(sequence) - this.#firstBlock
    while (this.#blocks.length < at) this.#blocks.push(null)
    const block = this.#blocks[at] ?? null
    if (block !== null) return block
    const made = new MessageBlock(blockOf(sequence) * BLOCK_MESSAGES, timestampMs)
    this.#blocks[at] = made
    return made
  }

  #link(before: number, sequence: number): void {
    const block = this.#block(before)
    if (block !== null) block.nexts[before - block.firstSequence] = sequence - before
  }

  /** The next message of the same subject; 0: none. */
  #nextOfSubject(sequence: number): number {
    let at = sequence
    for (;;) {
      const block = this.#block(at)
      const distance = block?.nexts[at - block.firstSequence] ?? 0
      if (distance === 0) return 0
      at += distance
      if (this.#subjectIdAt(at) !== 0) return at
    }
  }

  #leaveSubject(id: number, sequence: number): void {
    const count = this.#subjects.countOf(id) - 1
    let first = this.#subjects.firstOf(id)
    let last = this.#subjects.lastOf(id)
    if (count > 0 && sequence === first) first = this.#nextOfSubject(sequence)
    if (count > 0 && sequence === last) last = this.#lastBefore(id, sequence, first)
    this.#subjects.set(id, count, first, last)
  }

  #lastBefore(id: number, sequence: number, first: number): number {
    let at = sequence - 1
    while (at > first) {
      const block = this.#block(at)
      const start = blockOf(at) * BLOCK_MESSAGES
      if (block?.mayHave(id) !== true) {
        at = start - 1
        continue
      }
      for (; at >= start && at > first; at--) if (block.subjects[at - start] === id) return at
    }
    return first
  }

  #lastUpTo(id: number, upTo: number): number {
    let found = this.#subjects.firstOf(id)
    for (;;) {
      const next = this.#nextOfSubject(found)
      if (next === 0 || next > upTo) return found
      found = next
    }
  }

  /** Where to begin to search, when the answer is not known without. */
  #nearest({ ids }: PassingIds, from: number): { sequence: number; isExact: boolean } {
    let first = NOTHING
    let isExact = true
    for (const id of ids) {
      if (this.#subjects.countOf(id) === 0 || this.#subjects.lastOf(id) < from) continue
      const its = this.#subjects.firstOf(id)
      if (its < from) isExact = false
      first = Math.min(first, its)
    }
    return { sequence: first, isExact }
  }

  /** Like nextSequence, but looks no further than the end of a block. */
  #nextInBlock(from: number, flags: Uint8Array): number {
    const block = this.#block(from)
    if (block === null || block.messageCount === 0) return NOTHING
    const index = from - block.firstSequence
    const found = findFlagged(block.subjects, index, BLOCK_MESSAGES, flags)
    return found === -1 ? NOTHING : block.firstSequence + found
  }

  /** @param flags of the subjects that count; null: all */
  #countFrom(from: number, flags: Uint8Array | null): number {
    let count = 0
    let at = Math.max(from, this.#firstSequence)
    if (flags === null && at === this.#firstSequence) return this.messageCount
    while (at <= this.#lastSequence) {
      const block = this.#block(at)
      const end = endOfBlock(at)
      if (block !== null && block.messageCount > 0) {
        const index = at - block.firstSequence
        if (flags !== null) count += countFlagged(block.subjects, index, BLOCK_MESSAGES, flags)
        else if (index === 0) count += block.messageCount
        else count += countMessages(block.subjects, index, BLOCK_MESSAGES)
      }
      at = end
    }
    return count
  }

  #moveFirst(): void {
    const next = this.messageCount === 0 ? NOTHING : this.next(this.#firstSequence + 1)
    this.#firstSequence = next === NOTHING ? this.#lastSequence + 1 : next
    const unused = Math.min(blockOf(this.#firstSequence) - this.#firstBlock, this.#blocks.length)
    if (unused <= 0) return
    this.#blocks.splice(0, unused)
    this.#firstBlock += unused
  }

  /** Subjects that come and go, as those of objects do, must not fill the memory. */
  #forgetUnused(): void {
    const { count, usedCount } = this.#subjects
    if (count - usedCount < Math.max(MIN_UNUSED, usedCount)) return
    const before = this.#subjects
    const after = new SubjectTable()
    const newIds = new Uint32Array(count)
    for (let id = 1; id < count; id++) {
      const messages = before.countOf(id)
      if (messages === 0) continue
      const newId = after.idFor(before.subject(id))
      newIds[id] = newId
      after.set(newId, messages, before.firstOf(id), before.lastOf(id))
    }
    for (const block of this.#blocks) block?.renumber(newIds)
    this.#subjects = after
  }
}

const blockOf = (sequence: number): number => Math.floor(sequence / BLOCK_MESSAGES)

const endOfBlock = (sequence: number): number => (blockOf(sequence) + 1) * BLOCK_MESSAGES

function mayHaveAny(block: MessageBlock, ids: readonly number[]): boolean {
  if (ids.length > MAX_HINTED) return true
  return ids.some((id) => block.mayHave(id))
}
