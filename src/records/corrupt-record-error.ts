/**
 * Bytes that should be a batch, its records or their compressed form are not, or are larger than
 * allowed. On produce it becomes an error code; in our own log the caller decides (cut or report).
 */
export class CorruptRecordError extends Error {
  override readonly name = 'CorruptRecordError'
  /** True when the bytes may be fine but would take more memory than the caller allows. */
  readonly isTooLarge: boolean

  constructor(message: string, options?: ErrorOptions & { isTooLarge?: boolean }) {
    super(message, options)
    this.isTooLarge = options?.isTooLarge ?? false
  }
}
