/** Names of the files in a data directory. Source: LogFileUtils and UnifiedLog, Kafka 4.4. */
export const LOG_SUFFIX = '.log'
export const OFFSET_INDEX_SUFFIX = '.index'
export const TIME_INDEX_SUFFIX = '.timeindex'
export const TRANSACTION_INDEX_SUFFIX = '.txnindex'
export const SNAPSHOT_SUFFIX = '.snapshot'
/** Of a file that retention took out; it goes after `file.delete.delay.ms`. */
export const DELETED_SUFFIX = '.deleted'
/** Of what the cleaner had not finished. */
export const CLEANED_SUFFIX = '.cleaned'
/** Of what the cleaner had finished but not put in place. */
export const SWAP_SUFFIX = '.swap'
export const LEADER_EPOCH_FILE = 'leader-epoch-checkpoint'
export const PARTITION_METADATA_FILE = 'partition.metadata'

/** The files a segment has besides its log; `.txnindex` only when a transaction was aborted. */
export const INDEX_SUFFIXES = [
  OFFSET_INDEX_SUFFIX,
  TIME_INDEX_SUFFIX,
  TRANSACTION_INDEX_SUFFIX,
] as const

const OFFSET_DIGITS = 20
const PARTITION_DIRECTORY = /^(.+)-(\d+)$/
const DELETED_DIRECTORY = /^.+-\d+\.[0-9a-f]{32}-delete$/
const LONGEST_NAME = 255

/** 20 digits and the suffix: names sort as offsets do. */
export const offsetFileName = (offset: number, suffix: string): string =>
  String(offset).padStart(OFFSET_DIGITS, '0') + suffix

/** The offset in the name of a file with this suffix; -1 when the name is another kind. */
export function offsetOfFileName(name: string, suffix: string): number {
  if (!name.endsWith(suffix)) return -1
  const digits = name.slice(0, -suffix.length)
  return digits.length === OFFSET_DIGITS && /^\d+$/.test(digits) ? Number(digits) : -1
}

export const partitionDirectoryName = (topic: string, partition: number): string =>
  `${topic}-${partition}`

/** Topic and partition of a directory that holds a log in use; null for any other name. */
export function parsePartitionDirectory(
  name: string,
): { readonly topic: string; readonly partition: number } | null {
  const match = PARTITION_DIRECTORY.exec(name)
  const topic = match?.[1]
  if (topic === undefined) return null
  return { topic, partition: Number(match?.[2]) }
}

export const isDeletedDirectory = (name: string): boolean => DELETED_DIRECTORY.test(name)

/** `topic-0.<32 hex>-delete` or `-stray`; a long topic name is cut so that the whole fits. */
export function retiredDirectoryName(
  topic: string,
  partition: number,
  uniqueHex: string,
  kind: 'delete' | 'stray',
): string {
  const suffix = `-${partition}.${uniqueHex}-${kind}`
  return topic.slice(0, LONGEST_NAME - suffix.length) + suffix
}
