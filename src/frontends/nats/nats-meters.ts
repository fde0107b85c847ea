import type { Meter } from '../../ports/meter.ts'
import type { Accounts } from './accounts.ts'
import type { NatsSession } from './nats-session.ts'

/** Measures what the clients of the NATS ports do. */
export function meterSessions(
  meter: Meter,
  sessions: ReadonlySet<NatsSession>,
  accounts: Accounts,
): void {
  meter.gauge('nats_connections', 'Open connections.', () => sessions.size)
  meter.gauge('nats_subscriptions', 'Subscriptions of all clients.', () => {
    let count = 0
    for (const { subscriptions } of sessions) count += subscriptions.size
    return count
  })
  meter.gauge(
    'nats_received_messages',
    'Published since start.',
    () => accounts.counts.receivedMessages,
  )
  meter.gauge('nats_received_bytes', 'Published since start.', () => accounts.counts.receivedBytes)
  meter.gauge('nats_sent_messages', 'Delivered since start.', () => accounts.counts.sentMessages)
  meter.gauge('nats_sent_bytes', 'Delivered since start.', () => accounts.counts.sentBytes)
}
