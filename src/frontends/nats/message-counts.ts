import type { PublishedMessage } from '../../wire/nats/published-message.ts'

/** Messages and their bytes, headers included, since the start. */
export interface MessageCounts {
  receivedMessages: number
  receivedBytes: number
  sentMessages: number
  sentBytes: number
}

export function noMessages(): MessageCounts {
  return { receivedMessages: 0, receivedBytes: 0, sentMessages: 0, sentBytes: 0 }
}

export function addReceived(counts: MessageCounts, message: PublishedMessage): void {
  counts.receivedMessages++
  counts.receivedBytes += message.bodyEnd - message.bodyStart
}

/** `count` clients got the message. */
export function addSent(counts: MessageCounts, count: number, message: PublishedMessage): void {
  counts.sentMessages += count
  counts.sentBytes += count * (message.bodyEnd - message.bodyStart)
}
