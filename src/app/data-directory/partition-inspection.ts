import { StorageError } from '../../base/errors.ts'
import type { FileSystem } from '../../ports/file-system.ts'
import type { MetadataImage } from '../../ports/metadata-store.ts'
import { LENGTH_POSITION, MAGIC_POSITION, MAGIC_V2 } from '../../records/record-batch.ts'
import { readCheckpoint } from '../../storage/checkpoints.ts'
import {
  LEADER_EPOCH_FILE,
  LOG_SUFFIX,
  PARTITION_METADATA_FILE,
  parsePartitionDirectory,
} from '../../storage/log-files.ts'

/** What the directories of partitions say against one broker or the other; a sentence each. */
export interface PartitionFindings {
  /** Spool would refuse to start, or lose something. */
  readonly problems: readonly string[]
  /** Apache Kafka would. */
  readonly kafkaProblems: readonly string[]
  readonly warnings: readonly string[]
}

/** Not a topic of users: it is looked at on its own. */
const METADATA_DIRECTORY = '__cluster_metadata-0'

/** Looks at the directories of all partitions; opens each segment for a few bytes at most. */
export function inspectPartitions(
  fs: FileSystem,
  dataDir: string,
  image: MetadataImage,
): PartitionFindings {
  const problems: string[] = []
  const kafkaProblems: string[] = []
  const strays: string[] = []
  const present = new Set<string>()
  for (const name of fs.list(dataDir)) {
    const parsed = parsePartitionDirectory(name)
    if (parsed === null || name === METADATA_DIRECTORY) continue
    const path = `${dataDir}/${name}`
    if (fs.stat(path)?.isDirectory !== true) continue
    present.add(name)
    const topic = image.topics.get(parsed.topic)
    if (topic === undefined || topic.partitions[parsed.partition] === undefined) {
      strays.push(name)
      continue
    }
    const files = fs.list(path)
    checkTopicId(fs, path, files, topic.topicId, { problems, kafkaProblems })
    checkEpochs(fs, path, kafkaProblems)
    const old = findOldFormat(fs, path, files)
    if (old !== null) problems.push(old)
  }
  const missing = [...image.topics.values()].flatMap(({ name, partitions }) =>
    partitions
      .map(({ partition }) => `${name}-${partition}`)
      .filter((partition) => !present.has(partition)),
  )
  return {
    problems,
    kafkaProblems,
    warnings: [
      ...summary(strays, 'no topic owns', 'a start sets such a directory aside as …-stray'),
      ...summary(missing, 'there is no directory of', 'such a partition begins empty'),
    ],
  }
}

function checkTopicId(
  fs: FileSystem,
  path: string,
  files: readonly string[],
  topicId: string,
  found: { readonly problems: string[]; readonly kafkaProblems: string[] },
): void {
  if (!files.includes(PARTITION_METADATA_FILE)) {
    found.kafkaProblems.push(
      `${path} has no ${PARTITION_METADATA_FILE}, so Kafka would set its data aside as …-stray; ` +
        'a start of Spool makes the file',
    )
    return
  }
  const content = fs.readFile(`${path}/${PARTITION_METADATA_FILE}`).toString('latin1')
  const owner = /^topic_id: (\S+)$/m.exec(content)?.[1]
  if (owner === topicId) return
  const sentence =
    `${path} belongs to topic id ${owner ?? '(none)'}, but the metadata says ${topicId}; ` +
    'move it away, or restore the metadata that goes with it'
  found.kafkaProblems.push(sentence)
  const hasContent = files.some(
    (name) => name.endsWith(LOG_SUFFIX) && (fs.stat(`${path}/${name}`)?.sizeBytes ?? 0) > 0,
  )
  if (hasContent) found.problems.push(sentence)
}

/** Kafka does not start on a damaged text file. */
function checkEpochs(fs: FileSystem, path: string, kafkaProblems: string[]): void {
  try {
    readCheckpoint(fs, `${path}/${LEADER_EPOCH_FILE}`, 2)
  } catch (error) {
    if (!(error instanceof StorageError)) throw error
    kafkaProblems.push(error.message)
  }
}

/** Records of Kafka before 0.11 are at the beginning of a segment, or nowhere. */
function findOldFormat(fs: FileSystem, path: string, files: readonly string[]): string | null {
  const start = Buffer.alloc(MAGIC_POSITION + 1)
  for (const name of files) {
    if (!name.endsWith(LOG_SUFFIX)) continue
    const handle = fs.open(`${path}/${name}`, 'read')
    try {
      if (handle.readNow(start, 0, start.byteLength, 0) < start.byteLength) continue
      const version = start.readUInt8(MAGIC_POSITION)
      // Without a length there are zeros that were never written.
      if (version >= MAGIC_V2 || start.readInt32BE(LENGTH_POSITION) <= 0) continue
      return (
        `${path}/${name} holds records of format ${version}, and only format 2 can be read; ` +
        'have Kafka write them again in another topic first'
      )
    } finally {
      handle.close()
    }
  }
  return null
}

function summary(names: readonly string[], what: string, consequence: string): string[] {
  const [first] = names
  if (first === undefined) return []
  const more = names.length === 1 ? '' : ` and ${names.length - 1} more`
  return [`${what} ${first}${more}: ${consequence}`]
}
