import { writeUvarint } from '../../../../base/varint.ts'
import type { StoredMessage } from '../stream-reader.ts'

/**
 * The archive that a snapshot of a stream is: `state.json`, one entry for each consumer, then the
 * messages by sequence, and an entry of nothing, by which a reader knows that it has all.
 * Source: server/archive and stream_backup.go of nats-server 2.15.
 */

/** What an archive begins with. */
export const ARCHIVE_MAGIC = Buffer.from('NATSARC1', 'latin1')

/** An entry that is not a message: a name, and what it has. */
export interface SnapshotPart {
  readonly name: string
  readonly content: Buffer
}

const NO_BYTES = Buffer.alloc(0)
const NANOSECONDS_A_MS = 1_000_000n
/** No varint of 64 bits is longer. */
const MAX_LONG_BYTES = 10
const MAX_INT_BYTES = 5

export function partEntry({ name, content }: SnapshotPart, timestampMs: number): Buffer[] {
  return [headerOf(name, timestampMs, 0, 0, content.byteLength), content]
}

export function messageEntry(message: StoredMessage): Buffer[] {
  const { subject, timestampMs, sequence, payload } = message
  const headers = message.headers ?? NO_BYTES
  const header = headerOf(subject, timestampMs, sequence, headers.byteLength, payload.byteLength)
  return [header, headers, payload]
}

export function endEntry(): Buffer[] {
  return [headerOf('', 0, 0, 0, 0)]
}

/** @param name one character for each byte */
function headerOf(
  name: string,
  timestampMs: number,
  sequence: number,
  headerByteCount: number,
  payloadByteCount: number,
): Buffer {
  const bytes = Buffer.allocUnsafe(2 * MAX_LONG_BYTES + 3 * MAX_INT_BYTES + name.length)
  let at = writeUvarint(bytes, 0, name.length)
  // Go writes signed numbers in zig-zag; no time here is before 1970.
  at = writeLong(bytes, at, BigInt(Math.max(0, timestampMs)) * NANOSECONDS_A_MS * 2n)
  at = writeLong(bytes, at, BigInt(sequence))
  at = writeUvarint(bytes, at, headerByteCount)
  at = writeUvarint(bytes, at, payloadByteCount)
  at += bytes.write(name, at, 'latin1')
  return bytes.subarray(0, at)
}

/** Nanoseconds do not fit into a number. */
function writeLong(bytes: Buffer, position: number, value: bigint): number {
  let rest = value
  let at = position
  while (rest >= 0x80n) {
    bytes[at++] = Number(rest & 0x7fn) | 0x80
    rest >>= 7n
  }
  bytes[at++] = Number(rest)
  return at
}
