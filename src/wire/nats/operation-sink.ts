import type { PublishedMessage } from './published-message.ts'

/**
 * What a client asks for, in the order it came. Subjects, queue names and sids are texts with one
 * character for each byte (latin1): they are compared and sent on, never read.
 */
export interface OperationSink {
  /** PUB or HPUB. The message is borrowed: it is another one after the call. */
  publish(message: PublishedMessage): void
  /** @param queue empty: a plain subscription */
  subscribe(subject: string, queue: string, sid: string): void
  /** @param maxCount messages delivered in all before it ends; 0 or what is no number: now */
  unsubscribe(sid: string, maxCount: number): void
  connect(json: string): void
  ping(): void
  pong(): void
  /**
   * What came is not the protocol. The parser takes no more.
   * @param text what the peer is told before the connection is closed; null: nothing
   * @param reason for the log
   */
  refuse(text: string | null, reason: string): void
}
