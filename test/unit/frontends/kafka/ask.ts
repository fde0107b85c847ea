import type { Api, Decoded, Encodable } from '../../../../src/wire/kafka/codec.ts'
import { produceApi } from '../../../../src/wire/kafka/messages/00-produce.ts'
import { fetchApi } from '../../../../src/wire/kafka/messages/01-fetch.ts'
import { type Peer, readResponse, requestFrame, settle } from './peer.ts'
import { type FetchOptions, fetchBody, type ProduceOptions, produceBody } from './requests.ts'
import type { TestBroker } from './test-broker.ts'

/** One request on a connection of its own, answered without time passing. */
export async function ask<A extends Api>(
  broker: TestBroker,
  api: A,
  version: number,
  body: Encodable<A['request']>,
): Promise<Decoded<A['response']>> {
  const peer = broker.connect()
  peer.send(requestFrame(api, version, body))
  await settle()
  const answer = answerOf(peer, api, version)
  if (answer === undefined) throw new Error(`${api.name} v${version} was not answered`)
  peer.close()
  return answer
}

/** The one answer that a connection got since the last look; undefined: none. */
export function answerOf<A extends Api>(
  peer: Peer,
  api: A,
  version: number,
): Decoded<A['response']> | undefined {
  const [frame, ...more] = peer.takeFrames()
  if (more.length > 0) throw new Error(`${more.length} answers too many`)
  return frame === undefined ? undefined : readResponse(api, version, frame).body
}

export async function produce(broker: TestBroker, options: ProduceOptions = {}) {
  const response = await ask(broker, produceApi, options.version ?? 9, produceBody(options))
  const partition = response.responses[0]?.partitionResponses[0]
  if (partition === undefined) throw new Error('no partition was answered')
  return partition
}

export type FetchAnswer = Decoded<typeof fetchApi.response>

export function fetch(broker: TestBroker, options: FetchOptions = {}): Promise<FetchAnswer> {
  return ask(broker, fetchApi, options.version ?? 12, fetchBody(options))
}

/** All partitions of an answer, whatever their topics. */
export function partitionsOf(answer: FetchAnswer | undefined) {
  return answer?.responses.flatMap(({ partitions }) => partitions) ?? []
}
