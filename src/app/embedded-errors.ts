/** What callers of the embedded API catch, and the log they may bring. */
export { BrokerError, ConfigError, StorageError } from '../base/errors.ts'
export type { Logger } from '../ports/logger.ts'
