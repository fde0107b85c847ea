import type { Logger } from '../ports/logger.ts'

/** Says nothing: for a broker inside another program. */
export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLogger,
}
