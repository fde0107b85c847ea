import { ConfigError, StorageError } from '../../base/errors.ts'
import {
  type FoundIdentity,
  readNodeIdentity,
  requireNode,
} from '../../cluster/standalone/meta-properties.ts'
import { type LoadedSnapshots, loadMetadata } from '../../cluster/standalone/metadata-loader.ts'
import { MetadataReplay } from '../../cluster/standalone/metadata-replay.ts'
import { snapshotFileName } from '../../cluster/standalone/metadata-snapshot.ts'
import { MetadataState } from '../../cluster/standalone/metadata-state.ts'
import { SnapshotFiles } from '../../cluster/standalone/snapshot-files.ts'
import {
  findObstacles,
  findSharedObstacles,
  findVersionObstacles,
} from '../../cluster/standalone/takeover-obstacles.ts'
import type { FileSystem } from '../../ports/file-system.ts'
import { readOffsetCheckpoint } from '../../storage/checkpoints.ts'
import {
  CLEAN_SHUTDOWN_FILE,
  HIGH_WATERMARK_FILE,
  LOG_START_FILE,
  RECOVERY_POINT_FILE,
} from '../../storage/data-directory.ts'
import { parsePartitionDirectory } from '../../storage/log-files.ts'
import { MetadataFiles } from './metadata-files.ts'
import { inspectPartitions } from './partition-inspection.ts'

const METADATA_DIRECTORY = '__cluster_metadata-0'

export interface DirectoryInspection {
  readonly owner: FoundIdentity
  readonly state: MetadataState
  /** Who ran on the directory last, as far as the metadata shows it. */
  readonly lastRunBy: 'Apache Kafka' | 'Spool'
  readonly isCleanlyStopped: boolean
  /** Name of the snapshot that the metadata begins with; null: the log has it all. */
  readonly snapshot: string | null
  /** What stands in the way of a start of Spool; a sentence with a remedy each. */
  readonly problems: readonly string[]
  /** What stands in the way of a start of Apache Kafka 4.4. */
  readonly kafkaProblems: readonly string[]
  readonly warnings: readonly string[]
}

export interface InspectionOptions {
  readonly fs: FileSystem
  readonly dataDir: string
  /** Whether the files of all partitions are looked at, or only when Kafka ran last. */
  readonly partitions: 'always' | 'after-kafka'
}

/**
 * Looks at a data directory as a start of Spool, and one of Apache Kafka, would; changes nothing.
 * @returns null when the directory is new
 * @throws ConfigError when it is no data directory, or its meta.properties can't be used
 * @throws StorageError when it can't be read
 */
export async function inspectDirectory(
  options: InspectionOptions,
): Promise<DirectoryInspection | null> {
  const { fs, dataDir } = options
  const owner = readNodeIdentity(fs, dataDir)
  if (owner === null) return null
  const state = new MetadataState(owner.clusterId, owner.nodeId)
  const replay = new MetadataReplay(state)
  const metadata = await inspectMetadata(fs, dataDir, state, replay)
  const marker = readIfThere(fs, `${dataDir}/${CLEAN_SHUTDOWN_FILE}`)
  // A snapshot may have swallowed what the log said, but Kafka marks its stop with a broker epoch.
  const wasKafkaLast = replay.wasKafkaLast || /"brokerEpoch":\d/.test(marker ?? '')
  const isWholePicture = metadata.problems.length === 0
  const obstacles = isWholePicture
    ? findObstacles(state, replay, owner)
    : findVersionObstacles(state)
  const problems = [...obstacles, ...metadata.problems]
  const kafkaProblems = [...findSharedObstacles(state, owner), ...metadata.kafkaProblems]
  const warnings = [...metadata.warnings]
  if (isWholePicture && (options.partitions === 'always' || wasKafkaLast)) {
    const found = inspectPartitions(fs, dataDir, state.image)
    problems.push(...found.problems)
    kafkaProblems.push(...found.kafkaProblems)
    warnings.push(...found.warnings)
  }
  for (const name of [RECOVERY_POINT_FILE, HIGH_WATERMARK_FILE, LOG_START_FILE]) {
    const damage = checkpointDamage(fs, `${dataDir}/${name}`)
    if (damage === null) continue
    kafkaProblems.push(damage)
    if (name === LOG_START_FILE) problems.push(damage)
  }
  return {
    owner,
    state,
    lastRunBy: wasKafkaLast ? 'Apache Kafka' : 'Spool',
    isCleanlyStopped: marker !== null,
    snapshot: metadata.snapshot,
    problems,
    kafkaProblems,
    warnings,
  }
}

/**
 * Makes sure that a start would go well, before it changes anything.
 * @throws ConfigError with one sentence when the directory can't be served as it is
 */
export async function refuseUnservable(
  fs: FileSystem,
  dataDir: string,
  nodeId: number,
): Promise<void> {
  const found = await inspectDirectory({ fs, dataDir, partitions: 'after-kafka' })
  if (found === null) return
  requireNode(found.owner, nodeId, dataDir)
  const [first, ...others] = found.problems
  if (first === undefined) return
  const more =
    others.length === 0 ? '' : ` (spool doctor ${dataDir} tells of ${others.length} more problems)`
  throw new ConfigError(`${dataDir} can't be served: ${first}${more}`)
}

interface MetadataFindings {
  readonly snapshot: string | null
  readonly problems: readonly string[]
  readonly kafkaProblems: readonly string[]
  readonly warnings: readonly string[]
}

async function inspectMetadata(
  fs: FileSystem,
  dataDir: string,
  state: MetadataState,
  replay: MetadataReplay,
): Promise<MetadataFindings> {
  const none = { snapshot: null, problems: [], kafkaProblems: [], warnings: [] }
  const directory = `${dataDir}/${METADATA_DIRECTORY}`
  const snapshots = new SnapshotFiles(fs, directory)
  try {
    const log = new MetadataFiles(fs, directory, {
      logStartOffset: checkpointed(fs, `${dataDir}/${LOG_START_FILE}`),
      recoveryPoint: checkpointed(fs, `${dataDir}/${RECOVERY_POINT_FILE}`),
      isCleanlyStopped: fs.stat(`${dataDir}/${CLEAN_SHUTDOWN_FILE}`) !== undefined,
    })
    if (log.isMissing && snapshots.list().length === 0)
      return { ...none, ...missingMetadata(fs, dataDir) }
    const loaded = await loadMetadata(log, snapshots, state, replay)
    return { ...none, ...judge(loaded, log.tornBytes) }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    // Kafka would cut off, or not read, the same.
    return { ...none, problems: [error.message], kafkaProblems: [error.message] }
  }
}

function judge({ used, damaged }: LoadedSnapshots, tornBytes: number) {
  const warnings = damaged.map(
    ({ name, problem }) => `the snapshot ${name} is damaged (${problem}): an older state is used`,
  )
  if (tornBytes > 0)
    warnings.push(`${tornBytes} bytes behind the last whole batch of the metadata log are cut off`)
  const kafkaProblems = damaged.map(
    ({ name }) =>
      `the snapshot ${name} is damaged, and Kafka would read it; a start of Spool puts it aside`,
  )
  return { snapshot: used === null ? null : snapshotFileName(used), warnings, kafkaProblems }
}

/** Without metadata every partition would be set aside, so there must be none. */
function missingMetadata(fs: FileSystem, dataDir: string): Partial<MetadataFindings> {
  if (fs.stat(`${dataDir}/${BOOTSTRAP_FILE}`) !== undefined) {
    const sentence =
      `${dataDir} was formatted by a Kafka before 4.4 (${BOOTSTRAP_FILE}) and never started; ` +
      'start Kafka on it once, or choose an empty directory'
    return { problems: [sentence] }
  }
  const partition = fs
    .list(dataDir)
    .find((name) => parsePartitionDirectory(name) !== null && name !== METADATA_DIRECTORY)
  if (partition === undefined) return {}
  const sentence =
    `${dataDir} holds ${partition} but no metadata log (${METADATA_DIRECTORY}); put the metadata ` +
    'log there if metadata.log.dir named another directory, or restore it'
  return { problems: [sentence], kafkaProblems: [sentence] }
}

const BOOTSTRAP_FILE = 'bootstrap.checkpoint'

/** What a checkpoint says of the metadata log; 0 when that is nothing. */
function checkpointed(fs: FileSystem, path: string): number {
  try {
    return readOffsetCheckpoint(fs, path).get(METADATA_DIRECTORY) ?? 0
  } catch (error) {
    // Reported with the other checkpoints.
    if (error instanceof StorageError) return 0
    throw error
  }
}

function readIfThere(fs: FileSystem, path: string): string | null {
  return fs.stat(path) === undefined ? null : fs.readFile(path).toString('latin1')
}

function checkpointDamage(fs: FileSystem, path: string): string | null {
  try {
    readOffsetCheckpoint(fs, path)
    return null
  } catch (error) {
    if (isDamage(error)) return error.message
    throw error
  }
}

/** What is in a file is wrong; it is not the disk that failed, which may be well the next time. */
function isDamage(error: unknown): error is StorageError {
  return error instanceof StorageError && error.cause === undefined
}
