import type { PublishedMessage } from '../../wire/nats/published-message.ts'
import { LARGE_CHUNK_BYTES } from './chunk-pool.ts'
import type { Outbox } from './outbox.ts'
import type { SharedTail } from './subscription.ts'

const BLANK = 32
const H = 72
const M = 77
const S = 83
const G = 71

/** `MSG` and the blank behind it, with an H in front where there are headers. */
const VERB_BYTES = 4

/** Up to so many bytes a loop is quicker than a call. */
const LOOP_BYTES = 32

/** Sends a message to one client, without its headers if the client can't read them. */
export function writeDelivery(
  outbox: Outbox,
  message: PublishedMessage,
  sid: Buffer,
  readsHeaders: boolean,
  shared: SharedTail,
): void {
  const { hasHeaders, bytes, tailStart, tailEnd } = message
  const canRead = !hasHeaders || readsHeaders
  if (canRead && message.isTailCanonical && tailEnd - tailStart <= MAX_COPIED_TAIL_BYTES) {
    writeMessage(outbox, message, sid, hasHeaders, bytes, tailStart, tailEnd)
  } else {
    const tail = canRead ? shared.full(message) : shared.withoutHeaders(message)
    writeLargeMessage(outbox, message, sid, canRead && hasHeaders, tail)
  }
}

/**
 * Writes MSG or HMSG: operation, subject and sid, then `tail[tailStart..tailEnd)`, which the caller may
 * use again after the call.
 */
function writeMessage(
  outbox: Outbox,
  message: PublishedMessage,
  sid: Buffer,
  hasHeaders: boolean,
  tail: Buffer,
  tailStart: number,
  tailEnd: number,
): void {
  const at = writeHead(outbox, message, sid, hasHeaders, tailEnd - tailStart)
  copy(outbox, tail, tailStart, tailEnd, at)
}

/** The same for a tail that is too large for a chunk: it is sent from where it is. */
function writeLargeMessage(
  outbox: Outbox,
  message: PublishedMessage,
  sid: Buffer,
  hasHeaders: boolean,
  tail: Buffer,
): void {
  writeHead(outbox, message, sid, hasHeaders, 0)
  outbox.append(tail)
}

/** @returns where the tail begins, for which there is room */
function writeHead(
  outbox: Outbox,
  message: PublishedMessage,
  sid: Buffer,
  hasHeaders: boolean,
  tailBytes: number,
): number {
  const { bytes, subjectStart, subjectEnd } = message
  const subjectBytes = subjectEnd - subjectStart
  const verbBytes = hasHeaders ? VERB_BYTES + 1 : VERB_BYTES
  let at = outbox.reserve(verbBytes + subjectBytes + 1 + sid.byteLength + tailBytes)
  const chunk = outbox.bytes
  if (hasHeaders) chunk[at++] = H
  chunk[at++] = M
  chunk[at++] = S
  chunk[at++] = G
  chunk[at++] = BLANK
  copy(outbox, bytes, subjectStart, subjectEnd, at)
  at += subjectBytes
  chunk[at++] = BLANK
  for (let i = 0; i < sid.byteLength; i++) chunk[at + i] = sid[i] as number
  return at + sid.byteLength
}

/** Larger tails are sent from where they are. Subject and sid, which are control lines, fit as well. */
const MAX_COPIED_TAIL_BYTES = LARGE_CHUNK_BYTES / 2

function copy(outbox: Outbox, from: Buffer, start: number, end: number, at: number): void {
  const into = outbox.bytes
  const byteCount = end - start
  if (from === into) outbox.pool.copy(at, start, byteCount)
  else if (byteCount > LOOP_BYTES) from.copy(into, at, start, end)
  else for (let i = 0; i < byteCount; i++) into[at + i] = from[start + i] as number
}
