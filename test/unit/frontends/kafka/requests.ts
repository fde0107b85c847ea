import { type BatchOptions, buildBatch } from '../../../../src/records/batch-builder.ts'
import type { Encodable } from '../../../../src/wire/kafka/codec.ts'
import { produceApi } from '../../../../src/wire/kafka/messages/00-produce.ts'
import { fetchApi } from '../../../../src/wire/kafka/messages/01-fetch.ts'
import { apiVersionsApi } from '../../../../src/wire/kafka/messages/18-api-versions.ts'
import { type RequestOptions, requestFrame } from './peer.ts'
import { TOPIC, TOPIC_ID } from './test-broker.ts'

export const NOW_MS = 1_700_000_000_000

/** One record with a value of so many bytes. */
export function batchOf(valueBytes = 10, options: BatchOptions = {}, timestamp = NOW_MS): Buffer {
  return buildBatch([{ timestamp, key: Buffer.from('key'), value: Buffer.alloc(valueBytes) }], {
    ...options,
  })
}

export interface ProduceOptions extends RequestOptions {
  readonly version?: number
  readonly acks?: number
  readonly topic?: string
  readonly topicId?: string
  readonly partition?: number
  readonly records?: Buffer | null
  readonly transactionalId?: string | null
}

export function produceBody(options: ProduceOptions = {}): Encodable<typeof produceApi.request> {
  const { acks = -1, topic = TOPIC, topicId = TOPIC_ID, partition = 0 } = options
  const { records = batchOf(), transactionalId = null } = options
  const partitionData = [{ index: partition, records }]
  return {
    transactionalId,
    acks,
    timeoutMs: 1000,
    topicData: [{ name: topic, topicId, partitionData }],
  }
}

export function produceFrame(options: ProduceOptions = {}): Buffer {
  return requestFrame(produceApi, options.version ?? 9, produceBody(options), options)
}

export interface FetchedPartition {
  readonly partition?: number
  readonly fetchOffset?: number
  readonly partitionMaxBytes?: number
  readonly currentLeaderEpoch?: number
  readonly lastFetchedEpoch?: number
}

export interface FetchOptions extends RequestOptions {
  readonly version?: number
  readonly topic?: string
  readonly topicId?: string
  readonly partitions?: readonly FetchedPartition[]
  readonly maxWaitMs?: number
  readonly minBytes?: number
  readonly maxBytes?: number
  readonly isolationLevel?: number
  readonly sessionId?: number
  readonly sessionEpoch?: number
  readonly forgotten?: readonly number[]
  readonly replicaId?: number
}

export function fetchBody(options: FetchOptions = {}): Encodable<typeof fetchApi.request> {
  const { topic = TOPIC, topicId = TOPIC_ID, partitions = [{}], forgotten = [] } = options
  const asked = partitions.map(
    ({
      partition = 0,
      fetchOffset = 0,
      partitionMaxBytes = 1_048_576,
      currentLeaderEpoch = -1,
      lastFetchedEpoch = -1,
    }) => ({ partition, fetchOffset, partitionMaxBytes, currentLeaderEpoch, lastFetchedEpoch }),
  )
  return {
    maxWaitMs: options.maxWaitMs ?? 500,
    minBytes: options.minBytes ?? 1,
    maxBytes: options.maxBytes ?? 52_428_800,
    isolationLevel: options.isolationLevel ?? 0,
    sessionId: options.sessionId ?? 0,
    sessionEpoch: options.sessionEpoch ?? -1,
    replicaId: options.replicaId ?? -1,
    topics: asked.length === 0 ? [] : [{ topic, topicId, partitions: asked }],
    forgottenTopicsData:
      forgotten.length === 0 ? [] : [{ topic, topicId, partitions: [...forgotten] }],
  }
}

export function fetchFrame(options: FetchOptions = {}): Buffer {
  return requestFrame(fetchApi, options.version ?? 12, fetchBody(options), options)
}

export function apiVersionsFrame(version = 3, options: RequestOptions = {}): Buffer {
  const body = { clientSoftwareName: 'test', clientSoftwareVersion: '1.0' }
  return requestFrame(apiVersionsApi, version, body, options)
}
