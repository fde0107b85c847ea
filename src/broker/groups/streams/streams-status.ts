/** What keeps a member from running, though its heartbeat is fine. Source: KIP-1071, KIP-1331. */
export const StatusCode = {
  STALE_TOPOLOGY: 0,
  MISSING_SOURCE_TOPICS: 1,
  INCORRECTLY_PARTITIONED_TOPICS: 2,
  MISSING_INTERNAL_TOPICS: 3,
  SHUTDOWN_APPLICATION: 4,
  ASSIGNMENT_DELAYED: 5,
  MISSING_CLIENT_TAGS: 6,
} as const
export type StatusCode = (typeof StatusCode)[keyof typeof StatusCode]

export interface StreamsStatus {
  readonly statusCode: StatusCode
  readonly statusDetail: string
}

/** The topics do not fit the topology: no task can be given out before somebody changes that. */
export class TopicProblem extends Error {
  readonly status: StreamsStatus

  constructor(statusCode: StatusCode, statusDetail: string) {
    super(statusDetail)
    this.status = { statusCode, statusDetail }
  }
}
