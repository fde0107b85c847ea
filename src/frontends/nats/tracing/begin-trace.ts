import { isPublishable } from '../../../broker/subjects/subject.ts'
import { compress } from '../../../records/compression.ts'
import { Codec } from '../../../records/record-batch.ts'
import type { PublishedMessage } from '../../../wire/nats/published-message.ts'
import type { Account } from '../account.ts'
import { byteJson } from '../jetstream/byte-json.ts'
import type { NatsServices } from '../nats-services.ts'
import { isReservedSubject } from '../reserved-subjects.ts'
import type { SessionRights } from '../session-rights.ts'
import { MessageTrace, type TracedClient } from './message-trace.ts'
import { traceRequestOf } from './trace-headers.ts'

/** Who publishes a message that is to be traced. */
export interface TracingPublisher {
  readonly account: Account
  readonly client: TracedClient
  readonly rights: SessionRights
}

/**
 * Begins to trace a message that asks for it.
 * @returns null: it goes its way untraced; a text: it goes nowhere, and this is what its client is told,
 * nothing if it is empty
 */
export function beginTrace(
  message: PublishedMessage,
  { account, client, rights }: TracingPublisher,
  services: NatsServices,
): MessageTrace | string | null {
  const request = traceRequestOf(message.headers())
  if (request === null) return null
  const { headers, destination, isOnly, encoding } = request
  // What should only be traced is not delivered because it can not be.
  if (request.isOutdated || !isPublishable(destination)) return isOnly ? '' : null
  if (isReservedSubject(destination) || !rights.mayPublishTo(destination)) {
    return `Permissions Violation for Publish to "${destination}"`
  }
  const { clock, authenticator } = services
  return new MessageTrace({
    headers,
    byteCount: message.bodyEnd - message.bodyStart,
    subject: message.subject(),
    publisher: client,
    isOnly,
    systemAccount: authenticator.settings.systemAccount,
    nowMs: () => clock.nowMs(),
    send: (trace) => {
      const { publisher } = account
      if (!publisher.hasInterest(destination)) return
      const json = byteJson({ server: services.serverHead(), ...trace })
      const { block, payload } = encoded(json, encoding)
      publisher.publish(destination, null, block, payload)
    },
  })
}

/** Source: getCompressionType of nats-server. */
function encoded(json: Buffer, wanted: string): { block: Buffer | null; payload: Buffer } {
  if (wanted === '') return { block: null, payload: json }
  const isGzip = wanted.toLowerCase().includes('gzip')
  const block = `NATS/1.0\r\nContent-Encoding: ${isGzip ? 'gzip' : 'identity'}\r\n\r\n`
  const payload = isGzip ? compress(Codec.GZIP, json) : json
  return { block: Buffer.from(block, 'latin1'), payload: Buffer.from(payload) }
}
