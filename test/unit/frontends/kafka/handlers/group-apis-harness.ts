import { UNPOOLED } from '../../../../../src/base/lease.ts'
import type { Exchange, KafkaHandler } from '../../../../../src/frontends/kafka/handler.ts'
import type { MetadataImage, TopicImage } from '../../../../../src/ports/metadata-store.ts'
import {
  type Api,
  type Decoded,
  decoderOf,
  type Encodable,
  encoderOf,
  Reader,
  Writer,
} from '../../../../../src/wire/kafka/codec.ts'

export const ORDERS_ID = 'c3Bvb2wtdG9waWMtaWQwMQ'
export const UNKNOWN_ID = 'c3Bvb2wtdG9waWMtaWQwOQ'

/** A cluster with the topic `orders` of two partitions. */
export function metadataWithOrders(): { readonly image: MetadataImage } {
  const partition = { replicas: [1], isr: [1], leaderId: 1, leaderEpoch: 0, partitionEpoch: 0 }
  const orders: TopicImage = {
    name: 'orders',
    topicId: ORDERS_ID,
    partitions: [
      { partition: 0, ...partition },
      { partition: 1, ...partition },
    ],
  }
  const image: MetadataImage = {
    clusterId: 'c',
    nodeId: 1,
    topics: new Map([['orders', orders]]),
    topicsById: new Map([[ORDERS_ID, orders]]),
    configs: () => new Map(),
    configuredResources: () => [],
    nextProducerId: 0,
    features: new Map(),
    offset: 0,
  }
  return { image }
}

function exchangeFor(apiKey: number, apiVersion: number, clientId: string | null): Exchange {
  return {
    apiKey,
    apiVersion,
    correlationId: 1,
    clientId,
    connection: {
      id: 1,
      remoteAddress: '10.0.0.1',
      advertised: { host: 'broker.example', port: 9092 },
      principal: 'User:ANONYMOUS',
      softwareName: 'unknown',
      softwareVersion: 'unknown',
    },
    lease: UNPOOLED,
    isClosed: false,
    respond() {},
    respondNothing() {},
    closeConnection() {},
    onClose() {},
  }
}

/** Sends a request through the bytes of its version, and its answer back through them. */
export async function call<A extends Api>(
  api: A,
  handler: KafkaHandler,
  version: number,
  request: Encodable<A['request']>,
  clientId: string | null = 'app',
): Promise<Decoded<A['response']>> {
  const sent = new Writer(1024)
  encoderOf(api.request)(version)(sent, request)
  const decoded = decoderOf(api.request)(version)(new Reader(Buffer.concat(sent.finish())))
  const response = await handler.handle(decoded, exchangeFor(api.key, version, clientId))
  const answered = new Writer(1024)
  encoderOf(api.response)(version)(answered, response as Encodable<A['response']>)
  const reader = new Reader(Buffer.concat(answered.finish()))
  const result = decoderOf(api.response)(version)(reader)
  reader.expectEnd()
  return result as Decoded<A['response']>
}
