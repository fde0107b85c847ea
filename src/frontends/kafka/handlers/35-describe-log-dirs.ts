import { ErrorCode } from '../../../base/error-code.ts'
import type { Partition } from '../../../broker/topics/partition.ts'
import type { TopicRegistry } from '../../../broker/topics/topic-registry.ts'
import {
  type DescribeLogDirsRequest,
  type DescribeLogDirsResponse,
  describeLogDirsApi,
} from '../../../wire/kafka/messages/35-describe-log-dirs.ts'
import { defineHandler, type KafkaHandler } from '../handler.ts'

export interface DescribeLogDirsServices {
  readonly registry: TopicRegistry
  /** The data directory as an operator knows it. */
  readonly logDir: string
  /** Bytes of its disk; -1: not known. */
  readonly diskBytes: () => { readonly total: number; readonly usable: number }
}

type TopicSizes = DescribeLogDirsResponse['results'][number]['topics'][number]

/** DescribeLogDirs (KIP-113): how much each partition takes on disk. Unknown ones are left out. */
export function describeLogDirsHandler(services: DescribeLogDirsServices): KafkaHandler {
  return defineHandler(describeLogDirsApi, (request) => {
    const { total, usable } = services.diskBytes()
    return {
      throttleTimeMs: 0,
      errorCode: ErrorCode.NONE,
      results: [
        {
          errorCode: ErrorCode.NONE,
          logDir: services.logDir,
          topics: sizesOf(services.registry, request),
          totalBytes: total,
          usableBytes: usable,
        },
      ],
    }
  })
}

function sizesOf(registry: TopicRegistry, { topics }: DescribeLogDirsRequest): TopicSizes[] {
  if (topics === null) {
    return [...registry.topics].map(({ name, partitions }) => sizes(name, partitions))
  }
  const found: TopicSizes[] = []
  for (const { topic, partitions } of topics) {
    const known = partitions
      .map((index) => registry.partition(topic, index))
      .filter((partition) => partition !== undefined)
    if (known.length > 0) found.push(sizes(topic, known))
  }
  return found
}

const sizes = (name: string, partitions: readonly Partition[]): TopicSizes => ({
  name,
  partitions: partitions.map(({ partition, log }) => ({
    partitionIndex: partition,
    partitionSize: log.sizeBytes,
    offsetLag: 0,
    isFutureKey: false,
  })),
})
