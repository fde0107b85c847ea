import type { Scheduler } from '../../../ports/scheduler.ts'
import type { Account } from '../account.ts'
import { ApiRouter } from './api-router.ts'

const ACCOUNT_INFO = '$JS.API.INFO'

const NOT_ENABLED = {
  code: 503,
  err_code: 10039,
  description: 'JetStream not enabled for account',
}

/**
 * Clients of an account that has no JetStream are told so when they ask for it; nobody listens to
 * their other requests. Source: enableJetStreamInfoServiceImportOnly of nats-server.
 */
export function refuseJetStream(account: Account, scheduler: Scheduler): { stop(): void } {
  const router = new ApiRouter(account, account.publisher, scheduler)
  return router.on(ACCOUNT_INFO, (request) => {
    router.refuse(request, 'account_info_response', NOT_ENABLED)
  })
}
