import type { PublishedMessage } from '../../../wire/nats/published-message.ts'
import type { SharedTail, Subscriber, Subscription } from '../subscription.ts'
import type { MessageTrace } from './message-trace.ts'

/** Brings a message that is traced to one who listens. The server itself, where it asks for messages, is not told of. */
export function takeTraced(
  subscription: Subscription,
  message: PublishedMessage,
  publisher: Subscriber,
  shared: SharedTail,
  trace: MessageTrace,
): boolean {
  const { subscriber } = subscription
  return subscriber.deliverTraced === undefined
    ? subscriber.deliver(subscription, message, publisher, shared)
    : subscriber.deliverTraced(subscription, message, publisher, shared, trace)
}
