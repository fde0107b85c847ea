import { createHash } from 'node:crypto'
import { isAbsolute, normalize } from 'node:path'
import { ConfigError } from '../../base/errors.ts'
import type { FileIdentity } from './data-cut.ts'

/** A file of the backup. */
export interface BackupFile {
  /** Below the data directory. */
  readonly path: string
  readonly sizeBytes: number
  /** Hexadecimal. */
  readonly sha256: string
  /** Below the backup: where the content is. */
  readonly stored?: string
  /** Base64: of small files, instead of `stored`. */
  readonly content?: string
  /** What the file was when it was copied: unchanged, it need not be copied again. */
  readonly source: FileIdentity
}

/** What a backup consists of. */
export interface BackupManifest {
  readonly clusterId: string
  /** Everything acknowledged before is in the backup. ISO 8601, UTC. */
  readonly startedAt: string
  readonly finishedAt: string
  readonly files: readonly BackupFile[]
}

const FORMAT = 'spool-backup'
const VERSION = 1

export function sha256Of(content: Buffer | string): string {
  return createHash('sha256').update(content).digest('hex')
}

/** One line of JSON for people to look into, and a checksum over what matters. */
export function encodeManifest(manifest: BackupManifest): string {
  const sha256 = sha256Of(JSON.stringify(manifest))
  return `${JSON.stringify({ format: FORMAT, version: VERSION, sha256, manifest })}\n`
}

/**
 * @param path for messages
 * @throws ConfigError when it is no manifest, one of a newer version, or damaged
 */
export function decodeManifest(text: string, path: string): BackupManifest {
  const value = parse(text, path)
  if (value['format'] !== FORMAT) throw new ConfigError(`${path} is no manifest of a backup`)
  if (value['version'] !== VERSION) {
    throw new ConfigError(
      `${path} has version ${String(value['version'])}, and only ${VERSION} can be read: use a newer Spool`,
    )
  }
  const { manifest } = value
  if (sha256Of(JSON.stringify(manifest)) !== value['sha256']) {
    throw new ConfigError(`${path} is damaged: its checksum is wrong`)
  }
  const read = manifest as BackupManifest
  for (const file of read.files) {
    for (const name of [file.path, file.stored ?? '']) {
      if (isOutside(name)) throw new ConfigError(`${path} names ${name}, which is outside`)
    }
  }
  return read
}

/** A manifest from elsewhere must not make a restore write anywhere else. */
function isOutside(path: string): boolean {
  return isAbsolute(path) || normalize(path).split(/[\\/]/)[0] === '..'
}

function parse(text: string, path: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch (error) {
    throw new ConfigError(`${path} is damaged: ${String(error)}`, { cause: error })
  }
  throw new ConfigError(`${path} is no manifest of a backup`)
}
