import assert from 'node:assert/strict'
import { type ErrorCode, errorName } from '../../../src/base/error-code.ts'
import type { NewRecord } from '../../../src/records/batch-builder.ts'
import type { ProduceOutcome, ProduceRules } from '../../../src/records/batch-validation.ts'
import { Codec, TimestampType } from '../../../src/records/record-batch.ts'
import { VECTOR_TIME } from './vectors.ts'

export const CODECS = Object.values(Codec)
export const HOUR_MS = 3_600_000
/** Kafka's "no limit", Long.MAX_VALUE, as a number holds it. */
export const NO_LIMIT_MS = 2 ** 63
export const RULES: ProduceRules = {
  apiVersion: 12,
  maxMessageBytes: 1_048_588,
  isCompacted: false,
  timestampType: TimestampType.CREATE_TIME,
  timestampBeforeMaxMs: NO_LIMIT_MS,
  timestampAfterMaxMs: HOUR_MS,
  now: VECTOR_TIME,
  targetCodec: null,
  compressionLevel: undefined,
  maxDecompressedBytes: 10_000_000,
}

export const record = (timestamp = VECTOR_TIME, key: string | null = 'k'): NewRecord => ({
  timestamp,
  key: key === null ? null : Buffer.from(key),
  value: Buffer.from('value'),
})

export function expectCode(outcome: ProduceOutcome, code: ErrorCode, text?: RegExp): void {
  assert.equal(errorName(outcome.errorCode), errorName(code), String(outcome.errorMessage))
  if (code === 0) return
  assert.equal(outcome.batch.length, 0)
  assert.match(String(outcome.errorMessage), text ?? /./)
}
