import type { StreamRefusal } from '../stream-refusal.ts'

function refusal(err_code: number, description: string, code = 400): StreamRefusal {
  return { code, err_code, description }
}

/** Why messages of batches are refused. Source: errors.json of nats-server. */
export const BatchRefusals = {
  atomicDisabled: refusal(10174, 'atomic publish is disabled'),
  missingSequence: refusal(10175, 'atomic publish sequence is missing'),
  incomplete: refusal(10176, 'atomic publish batch is incomplete'),
  lastMessageId: refusal(
    10177,
    'atomic publish unsupported header used: Nats-Expected-Last-Msg-Id',
  ),
  invalidId: refusal(10179, 'atomic publish batch ID is invalid'),
  mirrorWithAtomic: refusal(10198, 'stream mirrors can not also use atomic publishing'),
  invalidCommit: refusal(10200, 'atomic publish batch commit is invalid'),
  duplicate: refusal(10201, 'atomic publish batch contains duplicate message id'),
  fastDisabled: refusal(10205, 'batch publish is disabled'),
  invalidPattern: refusal(10206, 'batch publish pattern is invalid'),
  invalidFastId: refusal(10207, 'batch publish ID is invalid'),
  unknownId: refusal(10208, 'batch publish ID unknown'),
  mirrorWithFast: refusal(10209, 'stream mirrors can not also use batch publishing'),
  tooManyAtomic: refusal(10210, 'atomic publish too many inflight', 429),
  tooManyFast: refusal(10211, 'batch publish too many inflight', 429),
} as const

/** @param limit the number of messages that a batch may have, or what else it may not pass */
export function batchTooLarge(limit: number | string): StreamRefusal {
  return refusal(10199, `atomic publish batch is too large: ${limit}`)
}
