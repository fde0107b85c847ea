import { type ErrorCode, errorName } from './error-code.ts'

/** The bytes a peer sent are not the protocol: its connection is closed and counted. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError'
}

/**
 * An expected refusal with Kafka's error code. It becomes a field of the response; the text is
 * sent where the API has an error message, so it must help whoever reads it.
 */
export class BrokerError extends Error {
  override readonly name = 'BrokerError'
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string = errorName(code)) {
    super(message)
    this.code = code
  }
}

/** A disk or object store failed: the partition goes offline until the broker is restarted. */
export class StorageError extends Error {
  override readonly name = 'StorageError'
}

/** What the operator gave (flag, file, directory) cannot be used; the text names the remedy. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

/** Our own bug: this broker stops, and recovery is the tested path. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError'
}
