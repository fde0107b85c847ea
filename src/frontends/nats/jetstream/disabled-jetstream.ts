import type { Scheduler } from '../../../ports/scheduler.ts'
import type { Account } from '../account.ts'
import { ApiRouter } from './api-router.ts'

/** What is refused, with the type of the answer. Direct gets and pulls find nobody who listens. */
const REQUESTS: Readonly<Record<string, string>> = {
  INFO: 'account_info',
  'STREAM.CREATE.*': 'stream_create',
  'STREAM.UPDATE.*': 'stream_update',
  'STREAM.NAMES': 'stream_names',
  'STREAM.LIST': 'stream_list',
  'STREAM.INFO.*': 'stream_info',
  'STREAM.DELETE.*': 'stream_delete',
  'STREAM.PURGE.*': 'stream_purge',
  'STREAM.SNAPSHOT.*': 'stream_snapshot',
  'STREAM.RESTORE.*': 'stream_restore',
  'STREAM.MSG.GET.*': 'stream_msg_get',
  'STREAM.MSG.DELETE.*': 'stream_msg_delete',
  'CONSUMER.CREATE.*': 'consumer_create',
  'CONSUMER.CREATE.*.>': 'consumer_create',
  'CONSUMER.DURABLE.CREATE.*.*': 'consumer_create',
  'CONSUMER.NAMES.*': 'consumer_names',
  'CONSUMER.LIST.*': 'consumer_list',
  'CONSUMER.INFO.*.*': 'consumer_info',
  'CONSUMER.DELETE.*.*': 'consumer_delete',
  'CONSUMER.PAUSE.*.*': 'consumer_pause',
}

const NOT_ENABLED = {
  code: 503,
  err_code: 10039,
  description: 'JetStream not enabled for account',
}

/**
 * Clients of an account that has no JetStream are told so, whatever they ask.
 * Source: enableJetStreamInfoServiceImportOnly of nats-server, which brings all of the API.
 */
export function refuseJetStream(account: Account, scheduler: Scheduler): { stop(): void } {
  const router = new ApiRouter(account, account.publisher, scheduler)
  const handlers = Object.entries(REQUESTS).map(([subject, type]) =>
    router.on(`$JS.API.${subject}`, (request) => {
      router.refuse(request, `${type}_response`, NOT_ENABLED)
    }),
  )
  return { stop: () => handlers.forEach((handler) => void handler.stop()) }
}
