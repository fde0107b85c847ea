import { NodeFileSystem } from '../../adapters/node-file-system.ts'
import { ConfigError, StorageError } from '../../base/errors.ts'
import { readNodeIdentity } from '../../cluster/standalone/meta-properties.ts'

/**
 * The node that a data directory belongs to.
 * @returns undefined when it is new, or can't be used: the start says why
 */
export function nodeIdOnDisk(dataDir: string): number | undefined {
  try {
    return readNodeIdentity(new NodeFileSystem(), dataDir)?.nodeId
  } catch (error) {
    if (error instanceof ConfigError || error instanceof StorageError) return undefined
    throw error
  }
}
