import { type BigIntStats, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigError } from '../../base/errors.ts'
import { LOG_SUFFIX, parsePartitionDirectory } from '../../storage/log-files.ts'

/** Tells one content of a file from another: it changes with every write, and with every replacement. */
export interface FileIdentity {
  readonly inode: string
  readonly sizeBytes: number
  readonly modifiedNs: string
}

/** A file of a data directory as it belongs in a backup. */
export interface CutFile {
  /** Below the data directory. */
  readonly path: string
  readonly identity: FileIdentity
  /** Only appended to: its first `sizeBytes` stay what they are while the rest grows. */
  readonly isGrowing: boolean
  /** Of small files that are replaced now and then: read at once. */
  readonly content?: Buffer
}

/** The files of a data directory that together are what a crash at one moment could leave. */
export interface DataCut {
  readonly clusterId: string
  readonly files: readonly CutFile[]
  /** No transaction began or ended while the ends of the logs were read. */
  readonly isAtomic: boolean
  /** Files of a compaction that is being put in place: soon they are gone, or left by a crash. */
  readonly swapPaths: readonly string[]
}

const META_PROPERTIES = 'meta.properties'
/** The cleaner's and the log's offsets, and what Kafka needs to start. */
const ROOT_FILE = /^([a-z-]+-offset-checkpoint|bootstrap\.checkpoint)$/
const REPLACED_FILE = /^(partition\.metadata|leader-epoch-checkpoint|quorum-state)$/
const KEPT_FILE =
  /^(\d{20}\.(log|index|timeindex|txnindex)(\.swap)?|\d{20}\.snapshot|\d{20}-\d{10}\.checkpoint)$/
const INDEX_OF_LOG = /\.(index|timeindex|txnindex)$/
const SWAP_SUFFIX = '.swap'
const METADATA_TOPIC = '__cluster_metadata'
const TRANSACTION_TOPIC = '__transaction_state'
/** How often a directory is listed again until two listings agree. */
const LIST_ATTEMPTS = 100

/** The listing is no state of the directory: things were renamed meanwhile. Take it again. */
export class DirectoryMoved extends Error {
  override readonly name = 'DirectoryMoved'
}

/**
 * Reads what is there, in an order in which nothing refers to what is missing. The broker goes on writing.
 * First the checkpoints, which must not be ahead of the logs; then transactions and committed offsets,
 * which may be older than the records they speak of but not newer; then records; the metadata last, so
 * that every topic and producer id of the records is in it.
 * @throws ConfigError when it is no data directory
 * @throws DirectoryMoved when topics were made or deleted, or segments swapped, while it was read
 */
export function readCut(dataDir: string): DataCut {
  const clusterId = clusterIdOf(dataDir)
  const root = rootFiles(dataDir)
  const before = partitionDirectories(dataDir)
  const transactionNames = [...before.keys()].filter((name) => topicOf(name) === TRANSACTION_TOPIC)
  const transactionsBefore = growthOf(dataDir, transactionNames)
  const logs = [...before.keys()].sort(byDependence).flatMap((name) => filesOf(dataDir, name))
  const isAtomic = growthOf(dataDir, transactionNames) === transactionsBefore
  if (!isSame(before, partitionDirectories(dataDir))) {
    throw new DirectoryMoved('topics were made or deleted')
  }
  return {
    clusterId,
    files: [...root, ...logs],
    isAtomic,
    swapPaths: logs.map(({ path }) => path).filter((path) => path.endsWith(SWAP_SUFFIX)),
  }
}

/** The identity that `stat` gives. */
export function identityOf(stat: BigIntStats): FileIdentity {
  return {
    inode: String(stat.ino),
    sizeBytes: Number(stat.size),
    modifiedNs: String(stat.mtimeNs),
  }
}

export function isSameIdentity(a: FileIdentity, b: FileIdentity): boolean {
  return a.inode === b.inode && a.sizeBytes === b.sizeBytes && a.modifiedNs === b.modifiedNs
}

function clusterIdOf(dataDir: string): string {
  const path = join(dataDir, META_PROPERTIES)
  if (statSync(path, { throwIfNoEntry: false }) === undefined) {
    throw new ConfigError(`${dataDir} is no data directory: it has no ${META_PROPERTIES}`)
  }
  const id = /^cluster\.id=(.+)$/m.exec(readFileSync(path, 'utf8'))?.[1]
  if (id === undefined) throw new ConfigError(`${path} has no cluster.id`)
  return id.trim()
}

function rootFiles(dataDir: string): CutFile[] {
  return readdirSync(dataDir)
    .filter((name) => name === META_PROPERTIES || ROOT_FILE.test(name))
    .map((name) => replacedFile(dataDir, name))
}

/** A file that is only ever replaced as a whole: what is read is one of its contents. */
function replacedFile(dataDir: string, path: string): CutFile {
  const content = orMoved(() => readFileSync(join(dataDir, path)))
  const stat = orMoved(() => statSync(join(dataDir, path), { bigint: true }))
  const identity = { ...identityOf(stat), sizeBytes: content.byteLength }
  return { path, identity, isGrowing: false, content }
}

/** Directories of logs in use with their inodes. */
function partitionDirectories(dataDir: string): Map<string, string> {
  const found = new Map<string, string>()
  for (const entry of readdirSync(dataDir, { withFileTypes: true })) {
    if (!entry.isDirectory() || parsePartitionDirectory(entry.name) === null) continue
    const stat = orMoved(() => statSync(join(dataDir, entry.name), { bigint: true }))
    found.set(entry.name, String(stat.ino))
  }
  return found
}

const topicOf = (directory: string): string => parsePartitionDirectory(directory)?.topic ?? ''

function byDependence(a: string, b: string): number {
  return rankOf(topicOf(a)) - rankOf(topicOf(b)) || (a < b ? -1 : 1)
}

function rankOf(topic: string): number {
  if (topic === TRANSACTION_TOPIC) return 0
  if (topic === METADATA_TOPIC) return 3
  return topic.startsWith('__') ? 1 : 2
}

/** Changes whenever something is appended to one of the logs. */
function growthOf(dataDir: string, names: readonly string[]): string {
  const files = names.flatMap((name) => listStable(dataDir, name))
  return JSON.stringify(files.filter(({ path }) => path.endsWith(LOG_SUFFIX)))
}

function filesOf(dataDir: string, directory: string): CutFile[] {
  const replaced = orMoved(() => readdirSync(join(dataDir, directory)))
    .filter((name) => REPLACED_FILE.test(name))
    .map((name) => replacedFile(dataDir, join(directory, name)))
  const listed = listStable(dataDir, directory)
  const active = listed
    .map(({ path }) => path)
    .filter((path) => path.endsWith(LOG_SUFFIX))
    .toSorted()
    .at(-1)
  const kept = listed
    // Recovery makes the indexes of the last segment anew; until then they are in the making.
    .filter(({ path }) => active === undefined || !isIndexOf(path, active))
    .map((file) => ({ ...file, isGrowing: file.path === active }))
  return [...replaced, ...kept]
}

function isIndexOf(path: string, log: string): boolean {
  return INDEX_OF_LOG.test(path) && path.replace(INDEX_OF_LOG, LOG_SUFFIX) === log
}

interface Listed {
  readonly path: string
  readonly identity: FileIdentity
}

/**
 * The segment files of a log. Names are read one after the other, so a listing during renames could be
 * one that never was: it counts when a second one has the same files.
 */
function listStable(dataDir: string, directory: string): Listed[] {
  let before = list(dataDir, directory)
  for (let attempt = 0; attempt < LIST_ATTEMPTS; attempt++) {
    const now = list(dataDir, directory)
    if (before !== undefined && now !== undefined && hasSameFiles(before, now)) return before
    before = now
  }
  throw new DirectoryMoved(`the files of ${directory} did not keep still`)
}

/** undefined when a file went away between its name and its size. */
function list(dataDir: string, directory: string): Listed[] | undefined {
  const files: Listed[] = []
  const names = orMoved(() => readdirSync(join(dataDir, directory)))
  for (const name of names.filter((each) => KEPT_FILE.test(each)).sort()) {
    const path = join(directory, name)
    const stat = statSync(join(dataDir, path), { bigint: true, throwIfNoEntry: false })
    if (stat === undefined) return undefined
    files.push({ path, identity: identityOf(stat) })
  }
  return files
}

/** Files may grow between the listings, but not come, go or be replaced. */
function hasSameFiles(a: readonly Listed[], b: readonly Listed[]): boolean {
  const namesOf = (files: readonly Listed[]) =>
    files.map(({ path, identity }) => `${path} ${identity.inode}`).join('\n')
  return namesOf(a) === namesOf(b)
}

function isSame(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  return a.size === b.size && [...a].every(([name, inode]) => b.get(name) === inode)
}

/** A name that was there a moment ago may be gone: then the listing is no state of the directory. */
function orMoved<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    throw new DirectoryMoved(String(error), { cause: error })
  }
}
