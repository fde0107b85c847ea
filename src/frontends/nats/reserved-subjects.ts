import { beginsWith } from '../../base/bytes.ts'
import type { PublishedMessage } from '../../wire/nats/published-message.ts'

const DOLLAR = 36
const UNDERSCORE = 95

/** Between servers. Source: gwReplyPrefix and clientNRGPrefix of nats-server. */
const SUBJECTS = ['_GR_.', '$NRG.'].map((text) => Buffer.from(text, 'latin1'))

/** Replies that only a server gives. Source: isReservedReply of nats-server. */
const REPLIES = ['_R_.', '$JS.ACK.', '_GR_.'].map((text) => Buffer.from(text, 'latin1'))

/**
 * What a client is told that publishes where only servers may.
 * @returns null when it may
 */
export function reservedRefusal(message: PublishedMessage): string | null {
  const { bytes, subjectStart, subjectEnd, replyStart, replyEnd } = message
  if (hasPrefix(bytes, subjectStart, subjectEnd, SUBJECTS)) {
    return `Permissions Violation for Publish to "${message.subject()}"`
  }
  if (hasPrefix(bytes, replyStart, replyEnd, REPLIES)) {
    return `Permissions Violation for Publish with Reply of "${message.reply()}"`
  }
  return null
}

/** Whether only servers may publish there. One character for each byte. */
export function isReservedSubject(subject: string): boolean {
  const bytes = Buffer.from(subject, 'latin1')
  return hasPrefix(bytes, 0, bytes.byteLength, SUBJECTS)
}

function hasPrefix(
  bytes: Buffer,
  start: number,
  end: number,
  prefixes: readonly Buffer[],
): boolean {
  if (start >= end || (bytes[start] !== DOLLAR && bytes[start] !== UNDERSCORE)) return false
  for (const prefix of prefixes) if (beginsWith(bytes, start, end, prefix)) return true
  return false
}
