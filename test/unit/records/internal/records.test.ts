import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { abortedTxn } from '../../../../src/records/internal/aborted-txn.ts'
import {
  consumerProtocolAssignment,
  consumerProtocolSubscription,
} from '../../../../src/records/internal/consumer-protocol.ts'
import {
  endTxnMarker,
  kraftVersionRecord,
  leaderChangeMessage,
  snapshotFooterRecord,
  snapshotHeaderRecord,
  votersRecord,
} from '../../../../src/records/internal/control-records.ts'
import { metadataRecordTypes } from '../../../../src/records/internal/metadata-records.ts'
import { offsetsRecordTypes } from '../../../../src/records/internal/offsets-records.ts'
import { producerSnapshot } from '../../../../src/records/internal/producer-snapshot.ts'
import { shareRecordTypes } from '../../../../src/records/internal/share-records.ts'
import { transactionRecordTypes } from '../../../../src/records/internal/transaction-records.ts'
import type { Message } from '../../../../src/schema/schema.ts'
import { checkDefaults, checkVectors } from '../../../vectors/check-vectors.ts'
import { messageNames } from '../../../vectors/vectors.ts'

const coordinatorTypes = [...offsetsRecordTypes, ...shareRecordTypes, ...transactionRecordTypes]

const messages: readonly Message[] = [
  ...coordinatorTypes.flatMap(({ key, value }): Message[] => [key, value]),
  ...metadataRecordTypes.map(({ value }) => value),
  abortedTxn,
  consumerProtocolAssignment,
  consumerProtocolSubscription,
  endTxnMarker,
  kraftVersionRecord,
  leaderChangeMessage,
  producerSnapshot,
  snapshotFooterRecord,
  snapshotHeaderRecord,
  votersRecord,
]

/** Its struct is never written without its key, which holds the same number. */
const WITHOUT_SCHEMA = ['ControlRecordTypeSchema']

describe('internal records of Kafka 4.4', () => {
  for (const message of messages) {
    it(`${message.name} is read and written as Kafka does, in every version`, () => {
      checkVectors(message)
    })
  }

  it('fields that a version lacks have the default of Kafka', () => {
    for (const message of messages) checkDefaults(message)
  })

  it('has a schema for every record of Kafka', () => {
    const known = new Set([...messages.map(({ name }) => name), ...WITHOUT_SCHEMA])
    const missing = messageNames().filter(
      (name) => !/(Request|Response|Header)$/.test(name) && !known.has(name),
    )
    assert.deepEqual(missing, [])
  })
})
