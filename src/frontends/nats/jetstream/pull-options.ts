import { ONE_MESSAGE, type PullOptions } from '../../../broker/jetstream/consumer/pull-request.ts'

type Fields = Readonly<Record<string, unknown>>

/**
 * What a pull request asks for: nothing (one message), a number of messages, or JSON.
 * @returns a text that says why JSON can't be read
 * Source: nextReqFromMsg of nats-server.
 */
export function parsePullOptions(body: string): PullOptions | string {
  const text = body.trim()
  if (text === '') return ONE_MESSAGE
  if (!text.startsWith('{')) {
    const batch = /^[+-]?\d+$/.test(text) ? Number(text) : 1
    return { ...ONE_MESSAGE, batch }
  }
  let fields: Fields
  try {
    fields = JSON.parse(text) as Fields
  } catch (error) {
    return (error as Error).message
  }
  return fromFields(fields)
}

function fromFields(fields: Fields): PullOptions | string {
  const wrong = Object.entries(TYPES).find(
    ([name, type]) => fields[name] != null && typeof fields[name] !== type,
  )
  if (wrong !== undefined) return `${wrong[0]} must be a ${wrong[1]}`
  return {
    batch: numberOf(fields['batch']),
    expires: numberOf(fields['expires']),
    maxBytes: numberOf(fields['max_bytes']),
    noWait: fields['no_wait'] === true,
    idleHeartbeat: numberOf(fields['idle_heartbeat']),
    group: textOf(fields['group']),
    minPending: numberOf(fields['min_pending']),
    minAckPending: numberOf(fields['min_ack_pending']),
    id: textOf(fields['id']),
    priority: numberOf(fields['priority']),
  }
}

const TYPES = {
  batch: 'number',
  expires: 'number',
  max_bytes: 'number',
  no_wait: 'boolean',
  idle_heartbeat: 'number',
  group: 'string',
  min_pending: 'number',
  min_ack_pending: 'number',
  id: 'string',
  priority: 'number',
}

function numberOf(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : 0
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
