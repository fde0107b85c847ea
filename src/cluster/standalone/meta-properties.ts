import { ConfigError } from '../../base/errors.ts'
import type { FileSystem } from '../../ports/file-system.ts'
import type { Random } from '../../ports/random.ts'

/** What `meta.properties` says of the node that owns a data directory (22 characters base64url). */
export interface NodeIdentity {
  readonly clusterId: string
  readonly nodeId: number
  readonly directoryId: string
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
/** Files that may be there before the first start: they hold no data of anybody. */
const HARMLESS = /^(\.lock|lost\+found|\.DS_Store|[a-z-]+-offset-checkpoint|log4j2\.properties)$/

/**
 * Reads who owns the data directory, or makes it ours when it is new. Call it before anything else
 * touches the directory: what is refused stays as it was.
 * @throws ConfigError when the directory belongs to another node or holds something else
 * Source: Kafka's MetaProperties (KIP-631, KIP-858).
 */
export function loadNodeIdentity(options: NodeIdentityOptions): NodeIdentity {
  const { fs, dataDir, nodeId } = options
  const path = `${dataDir}/${FILE}`
  if (fs.stat(path) === undefined) return createIdentity(options)
  const values = parse(fs.readFile(path).toString('utf8'))
  const version = values.get('version')
  if (version !== '1') {
    throw new ConfigError(
      `${path} has version ${version ?? '(none)'}, and only version 1 can be read; ` +
        'upgrade the directory with Kafka 4 first, or choose another data directory',
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
  if (Number(owner) !== nodeId) {
    throw new ConfigError(
      `${dataDir} belongs to node ${owner}, but this node is ${nodeId}; ` +
        `set node.id=${owner} or choose another data directory`,
    )
  }
  const directoryId = values.get('directory.id')
  if (directoryId !== undefined && UUID.test(directoryId)) return { clusterId, nodeId, directoryId }
  if (directoryId !== undefined) {
    throw new ConfigError(`${path} has the directory.id ${directoryId}, which is no uuid`)
  }
  return write(fs, dataDir, { clusterId, nodeId, directoryId: options.random.uuid() })
}

function createIdentity(options: NodeIdentityOptions): NodeIdentity {
  const { fs, dataDir, nodeId, random } = options
  const isThere = fs.stat(dataDir) !== undefined
  const foreign = isThere ? fs.list(dataDir).find((name) => !HARMLESS.test(name)) : undefined
  if (foreign !== undefined) {
    throw new ConfigError(
      `${dataDir} holds ${foreign} but no meta.properties, so it is not a data directory; ` +
        'choose an empty directory',
    )
  }
  fs.makeDirectory(dataDir)
  const clusterId = options.clusterId ?? random.uuid()
  return write(fs, dataDir, { clusterId, nodeId, directoryId: random.uuid() })
}

function write(fs: FileSystem, dataDir: string, identity: NodeIdentity): NodeIdentity {
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
