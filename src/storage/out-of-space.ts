const OUT_OF_SPACE = new Set(['ENOSPC', 'EDQUOT'])

/** The disk is full, or the user has all that he may: nothing is broken. */
export function isOutOfSpace(error: Error): boolean {
  const code = (error.cause as { code?: unknown } | undefined)?.code
  return typeof code === 'string' && OUT_OF_SPACE.has(code)
}
