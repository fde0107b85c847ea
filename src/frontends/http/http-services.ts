import type { Logger } from '../../ports/logger.ts'

/** What the routes tell of the broker. */
export interface HttpServices {
  readonly logger: Logger
  /** All metrics as Prometheus reads them. */
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>
  /** Why the broker should get no work yet; null when it should. */
  readonly notReadyReason: () => string | null
}
