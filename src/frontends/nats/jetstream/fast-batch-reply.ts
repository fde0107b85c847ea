import type {
  FastOperation,
  FastPublish,
} from '../../../broker/jetstream/stream/batch/fast-batches.ts'

/** The end of the reply subjects of fast batches: `….<id>.<flow>.<gap>.<sequence>.<operation>.$FI` */
const SUFFIX = '.$FI'

/** Source: FastBatchOp* of nats-server; 0 is the first message, 1 each other that is stored. */
const OPERATIONS: readonly FastOperation[] = ['store', 'store', 'commit', 'end', 'ping']

const TOKEN_COUNT = 5
const DEFAULT_ACK_EVERY = 10
const MAX_ACK_EVERY = 0xffff

const INTEGER = /^\d{1,15}$/

/** Whether a message with that reply belongs to a fast batch. */
export function isFastReply(bytes: Buffer, start: number, end: number): boolean {
  const length = SUFFIX.length
  if (end - start <= length) return false
  for (let i = 0; i < length; i++) {
    if (bytes[end - length + i] !== SUFFIX.charCodeAt(i)) return false
  }
  return true
}

/** null: it can't be read. Source: getFastBatch of nats-server. */
export function parseFastReply(reply: string): FastPublish | null {
  const tokens = reply.slice(0, -SUFFIX.length).split('.')
  // Something comes before the id.
  if (tokens.length <= TOKEN_COUNT) return null
  const [batchId = '', flow = '', gap = '', digits = '', op = ''] = tokens.slice(-TOKEN_COUNT)
  const operation = INTEGER.test(op) ? OPERATIONS[Number(op)] : undefined
  const sequence = INTEGER.test(digits) ? Number(digits) : 0
  if (operation === undefined || sequence === 0 || (gap !== 'ok' && gap !== 'fail')) return null
  if (Number(op) === 0 ? sequence !== 1 : Number(op) === 1 && sequence === 1) return null
  if (operation === 'end' && sequence === 1) return null
  const asked = INTEGER.test(flow) ? Number(flow) : 0
  const maxAckEvery = asked === 0 ? DEFAULT_ACK_EVERY : Math.min(asked, MAX_ACK_EVERY)
  return { batchId, sequence, maxAckEvery, isGapAllowed: gap === 'ok', operation }
}
