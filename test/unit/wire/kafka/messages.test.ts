import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Message } from '../../../../src/schema/schema.ts'
import { requestHeader, responseHeader } from '../../../../src/wire/kafka/headers.ts'
import { allApis } from '../../../../src/wire/kafka/messages/all.ts'
import { checkDefaults, checkVectors } from '../../../vectors/check-vectors.ts'
import { messageNames } from '../../../vectors/vectors.ts'

const messages: readonly Message[] = [
  ...allApis.flatMap(({ request, response }) => [request, response]),
  requestHeader,
  responseHeader,
]

describe('messages of Kafka 4.4', () => {
  for (const message of messages) {
    it(`${message.name} is read and written as Kafka does, in every version`, () => {
      checkVectors(message)
    })
  }

  it('fields that a version lacks have the default of Kafka', () => {
    for (const message of messages) checkDefaults(message)
  })

  it('has a schema for every request and response of Kafka', () => {
    const known = new Set(messages.map(({ name }) => name))
    const missing = messageNames().filter(
      (name) => /(Request|Response|Header)$/.test(name) && !known.has(name),
    )
    assert.deepEqual(missing, [])
    assert.equal(allApis.length, 91)
  })
})
