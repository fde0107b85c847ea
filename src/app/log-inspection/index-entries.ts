import { ConfigError } from '../../base/errors.ts'
import { readInt64 } from '../../base/int64.ts'

/** One entry of `.index`. */
export interface OffsetEntry {
  /** Last offset of the batch. */
  readonly offset: number
  readonly position: number
}

/** One entry of `.timeindex`. */
export interface TimeEntry {
  readonly timestampMs: number
  readonly offset: number
}

const OFFSET_ENTRY_BYTES = 8
const TIME_ENTRY_BYTES = 12

/** @throws ConfigError when the file ends inside an entry */
export function offsetEntries(path: string, content: Buffer, baseOffset: number): OffsetEntry[] {
  return entriesOf(path, content, OFFSET_ENTRY_BYTES, (at) => ({
    offset: baseOffset + content.readInt32BE(at),
    position: content.readInt32BE(at + 4),
  }))
}

/** @throws ConfigError when the file ends inside an entry */
export function timeEntries(path: string, content: Buffer, baseOffset: number): TimeEntry[] {
  return entriesOf(path, content, TIME_ENTRY_BYTES, (at) => ({
    timestampMs: readInt64(content, at),
    offset: baseOffset + content.readInt32BE(at + 8),
  }))
}

/** Kafka makes index files larger than their entries while it runs: zeros at the end are none. */
function entriesOf<T>(
  path: string,
  content: Buffer,
  entryBytes: number,
  read: (at: number) => T,
): T[] {
  if (content.length % entryBytes !== 0) {
    throw new ConfigError(`${path} ends inside an entry: remove it, the broker makes it again`)
  }
  let end = content.length
  while (end > 0 && content.subarray(end - entryBytes, end).every((byte) => byte === 0)) {
    end -= entryBytes
  }
  const entries: T[] = []
  for (let at = 0; at < end; at += entryBytes) entries.push(read(at))
  return entries
}
