/** What a consumer tells a client instead of a message: a line and headers, never a payload. */
export interface Status {
  readonly code: number
  readonly description: string
  readonly headers?: Readonly<Record<string, string | number>>
  /** Where the client answers, if it shall. */
  readonly reply?: string
}

export function status(
  code: number,
  description: string,
  headers?: Readonly<Record<string, string | number>>,
): Status {
  return headers === undefined ? { code, description } : { code, description, headers }
}

/** Clients compare these texts. Source: consumer.go of nats-server. */
export const Statuses = {
  pushBased: status(409, 'Consumer is push based'),
  consumerDeleted: status(409, 'Consumer Deleted'),
  serverShutdown: status(409, 'Server Shutdown'),
  noMessages: status(404, 'No Messages'),
  requestsPending: status(408, 'Requests Pending'),
  exceededMaxWaiting: status(409, 'Exceeded MaxWaiting'),
  pinMismatch: status(423, 'Nats-Pin-Id mismatch'),
} as const

export function badRequest(reason: string): Status {
  return status(400, `Bad Request - ${reason}`)
}
