import { ConfigError } from '../../base/errors.ts'
import type { FileSystem } from '../../ports/file-system.ts'
import type { Random } from '../../ports/random.ts'

/** What `meta.properties` says of the node that owns a data directory (22 characters base64url). */
export interface NodeIdentity {
  readonly clusterId: string
  readonly nodeId: number
  readonly directoryId: string
}

/** What a file says that may be older than directory ids. */
export interface FoundIdentity {
  readonly clusterId: string
  readonly nodeId: number
  /** null: a Kafka before 3.7 wrote the file. */
  readonly directoryId: string | null
}

export interface NodeIdentityOptions {
  readonly fs: FileSystem
  readonly dataDir: string
  readonly nodeId: number
  readonly random: Random
  /** Cluster id for a new directory; by default a random one. */
  readonly clusterId?: string
}

const FILE = 'meta.properties'
const UUID = /^[\w-]{22}$/
/**
 * Files that may be there before the first start, or that one leaves that is cut off: they hold no
 * data of anybody.
 */
const HARMLESS = [
  /^(\.lock|lost\+found|\.DS_Store|log4j2\.properties)$/,
  /^(meta\.properties|\.kafka_cleanshutdown|[a-z-]+-offset-checkpoint)(\.tmp)?$/,
]

/**
 * Reads who owns a data directory; changes nothing.
 * @returns null when the directory is new: not there, or empty
 * @throws ConfigError when the file can't be used, or there is other data instead of it
 * Source: Kafka's MetaProperties (KIP-631, KIP-858).
 */
export function readNodeIdentity(fs: FileSystem, dataDir: string): FoundIdentity | null {
  const path = `${dataDir}/${FILE}`
  if (fs.stat(path) === undefined) {
    refuseForeign(fs, dataDir)
    return null
  }
  const values = parse(fs.readFile(path).toString('utf8'))
  const version = values.get('version')
  if (version !== '1') {
    const remedy =
      version === '0' || version === undefined
        ? 'upgrade the directory with Kafka 4 first'
        : 'it was written by a newer version, so use that'
    throw new ConfigError(
      `${path} has version ${version ?? '(none)'}, and only version 1 can be read; ` +
        `${remedy}, or choose another data directory`,
    )
  }
  const clusterId = values.get('cluster.id')
  if (clusterId === undefined || clusterId === '') {
    throw new ConfigError(`${path} has no cluster.id; restore the file or choose another directory`)
  }
  const owner = values.get('node.id')
  if (owner === undefined || !/^\d+$/.test(owner)) {
    throw new ConfigError(`${path} has no node.id; restore the file or choose another directory`)
  }
  const directoryId = values.get('directory.id') ?? null
  if (directoryId !== null && !UUID.test(directoryId))
    throw new ConfigError(`${path} has the directory.id ${directoryId}, which is no uuid`)
  return { clusterId, nodeId: Number(owner), directoryId }
}

/**
 * Reads who owns the data directory, or makes it ours when it is new.
 * @throws ConfigError when the directory belongs to another node or holds something else
 */
export function loadNodeIdentity(options: NodeIdentityOptions): FoundIdentity {
  const { fs, dataDir, nodeId, random } = options
  const found = readNodeIdentity(fs, dataDir)
  if (found !== null) {
    requireNode(found, nodeId, dataDir)
    return found
  }
  fs.makeDirectory(dataDir)
  const clusterId = options.clusterId ?? random.uuid()
  return writeNodeIdentity(fs, dataDir, { clusterId, nodeId, directoryId: random.uuid() })
}

/** @throws ConfigError when the directory belongs to another node */
export function requireNode(found: FoundIdentity, nodeId: number, dataDir: string): void {
  if (found.nodeId === nodeId) return
  throw new ConfigError(
    `${dataDir} belongs to node ${found.nodeId}, but this node is ${nodeId}; ` +
      `set node.id=${found.nodeId} or choose another data directory`,
  )
}

const isForeign = (name: string): boolean => !HARMLESS.some((pattern) => pattern.test(name))

function refuseForeign(fs: FileSystem, dataDir: string): void {
  const isThere = fs.stat(dataDir) !== undefined
  const foreign = isThere ? fs.list(dataDir).find(isForeign) : undefined
  if (foreign === undefined) return
  throw new ConfigError(
    `${dataDir} holds ${foreign} but no meta.properties, so it is not a data directory; ` +
      'choose an empty directory',
  )
}

/** Writes the file, whole or not at all. */
export function writeNodeIdentity(
  fs: FileSystem,
  dataDir: string,
  identity: NodeIdentity,
): NodeIdentity {
  const { clusterId, nodeId, directoryId } = identity
  const lines = [
    '#',
    'version=1',
    `cluster.id=${clusterId}`,
    `node.id=${nodeId}`,
    `directory.id=${directoryId}`,
    '',
  ]
  fs.writeFileAtomic(`${dataDir}/${FILE}`, lines.join('\n'))
  return identity
}

/** The plain part of Java's properties format, which is all that Kafka writes here. */
function parse(text: string): Map<string, string> {
  const values = new Map<string, string>()
  for (const line of text.split(/\r?\n/)) {
    const match = /^\s*([^#!=:\s][^=:\s]*)\s*[=:]\s*(.*?)\s*$/.exec(line)
    if (match !== null) values.set(match[1] as string, match[2] as string)
  }
  return values
}
