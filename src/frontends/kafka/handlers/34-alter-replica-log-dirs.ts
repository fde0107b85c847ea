import { ErrorCode } from '../../../base/error-code.ts'
import type { TopicRegistry } from '../../../broker/topics/topic-registry.ts'
import { alterReplicaLogDirsApi } from '../../../wire/kafka/messages/34-alter-replica-log-dirs.ts'
import { defineHandler, type KafkaHandler } from '../handler.ts'

export interface AlterReplicaLogDirsServices {
  readonly registry: TopicRegistry
  /** The data directory as an operator knows it. */
  readonly logDir: string
}

/** A replica that moves is kept in TOPIC-PARTITION.UUID-future, and a file name has 255 bytes at most. */
const MAX_PARTITION_NAME_LENGTH = 255 - '.'.length - 32 - '-future'.length

/**
 * AlterReplicaLogDirs (KIP-113). There is one directory, so a replica can only be asked to stay where it
 * is: NONE. Any other directory is LOG_DIR_NOT_FOUND. A name too long to be moved is INVALID_TOPIC, as in
 * Kafka even if it stays.
 */
export function alterReplicaLogDirsHandler(services: AlterReplicaLogDirsServices): KafkaHandler {
  const { registry, logDir } = services
  const move = (path: string, topic: string, partition: number): ErrorCode => {
    if (`${topic}-${partition}`.length > MAX_PARTITION_NAME_LENGTH) {
      return ErrorCode.INVALID_TOPIC_EXCEPTION
    }
    if (path !== logDir) return ErrorCode.LOG_DIR_NOT_FOUND
    return registry.partition(topic, partition) === undefined
      ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
      : ErrorCode.NONE
  }
  return defineHandler(alterReplicaLogDirsApi, ({ dirs }) => {
    const results = new Map<string, { partitionIndex: number; errorCode: ErrorCode }[]>()
    for (const { path, topics } of dirs) {
      for (const { name, partitions } of topics) {
        const answers = results.get(name) ?? []
        for (const partitionIndex of partitions) {
          answers.push({ partitionIndex, errorCode: move(path, name, partitionIndex) })
        }
        results.set(name, answers)
      }
    }
    return {
      throttleTimeMs: 0,
      results: [...results].map(([topicName, partitions]) => ({ topicName, partitions })),
    }
  })
}
