import { type NewMessage, sizeOf } from '../record-mapping.ts'

/** Objects and arrays around the bytes of a message that is held. */
const HELD_OVERHEAD_BYTES = 256

/** Messages that are stored together once their batch is committed. */
export class AtomicBatch {
  readonly id: string
  /** Of the last message that came. */
  lastSequence = 0
  /** When that was. */
  lastMs = 0
  readonly messages: NewMessage[] = []
  /** As in the batch of the log that they become, or a little more. */
  byteCount = 0

  constructor(id: string) {
    this.id = id
  }

  /** What keeping the messages costs. */
  get heldBytes(): number {
    return this.byteCount + this.messages.length * HELD_OVERHEAD_BYTES
  }

  /** Keeps a message, in bytes of its own. */
  hold(message: NewMessage): void {
    this.messages.push(copyOf(message))
    this.byteCount += sizeOf(message)
  }
}

/** What it costs to hold a message. */
export function heldBytesOf(message: NewMessage): number {
  return sizeOf(message) + HELD_OVERHEAD_BYTES
}

/** Small buffers share their memory with others, which would stay with them. */
function copyOf({ subject, headers, payload }: NewMessage): NewMessage {
  const headerByteCount = headers?.byteLength ?? 0
  const bytes = Buffer.allocUnsafeSlow(headerByteCount + payload.byteLength)
  headers?.copy(bytes, 0)
  payload.copy(bytes, headerByteCount)
  return {
    subject,
    headers: headers === null ? null : bytes.subarray(0, headerByteCount),
    payload: bytes.subarray(headerByteCount),
  }
}
