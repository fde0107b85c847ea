import { encodeCoordinatorKey } from '../../../records/internal/coordinator-record.ts'
import {
  jetstreamConsumer,
  jetstreamConsumerState,
} from '../../../records/internal/jetstream-consumer-records.ts'
import { decodeJetStreamRecord } from '../../../records/internal/jetstream-records.ts'
import { jetstreamStream } from '../../../records/internal/jetstream-stream-records.ts'
import type { EncodedRecord } from '../../coordinator/coordinator-log.ts'

/** No stream has it in its name, so the last one ends the account's. */
const SEPARATOR = '/'

/** What a stream is called in the log: its name alone in the account of those who name none. */
export function qualifiedName(account: string | null, stream: string): string {
  return account === null ? stream : `${account}${SEPARATOR}${stream}`
}

/** @returns null for the account of those who name none */
export function accountOf(qualified: string): string | null {
  const at = qualified.lastIndexOf(SEPARATOR)
  return at < 0 ? null : qualified.slice(0, at)
}

/** @returns the name of the stream, or null when it is another account's */
export function nameWithin(account: string | null, qualified: string): string | null {
  if (accountOf(qualified) !== account) return null
  return qualified.slice(qualified.lastIndexOf(SEPARATOR) + 1)
}

/**
 * The same records, about streams of an account. Records that name no stream are of a topic, of
 * which each stream has its own.
 */
export function recordsOf(
  account: string | null,
  records: readonly EncodedRecord[],
): readonly EncodedRecord[] {
  if (account === null) return records
  return records.map(({ key, value }) => ({ key: keyOf(account, key), value }))
}

function keyOf(account: string, key: Buffer): Buffer {
  const record = decodeJetStreamRecord(key, null)
  switch (record?.name) {
    case 'JetStreamStream':
      return encodeCoordinatorKey(jetstreamStream, {
        stream: qualifiedName(account, record.key.stream),
      })
    case 'JetStreamConsumer':
      return encodeCoordinatorKey(jetstreamConsumer, {
        ...record.key,
        stream: qualifiedName(account, record.key.stream),
      })
    case 'JetStreamConsumerState':
      return encodeCoordinatorKey(jetstreamConsumerState, {
        ...record.key,
        stream: qualifiedName(account, record.key.stream),
      })
    default:
      return key
  }
}
