import { StorageError } from '../base/errors.ts'
import type { FileSystem } from '../ports/file-system.ts'

/** Kafka's text checkpoints: version, number of lines, lines. */
const VERSION = '0'

/**
 * Reads a text checkpoint; a missing or empty file has no lines.
 * @throws StorageError when it is not whole: it is replaced as a whole, so it was damaged
 * Source: CheckpointFile, Kafka 4.4.
 */
export function readCheckpoint(fs: FileSystem, path: string, wordCount: number): string[][] {
  if (fs.stat(path) === undefined) return []
  const text = fs.readFile(path).toString('latin1')
  if (text === '') return []
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  if (lines[0] !== VERSION) throw malformed(path, 1)
  if (Number(lines[1]) !== lines.length - 2) throw malformed(path, 2)
  return lines.slice(2).map((line, index) => {
    const words = line.split(' ')
    if (words.length !== wordCount) throw malformed(path, index + 3)
    // All words but a topic name are integers.
    for (const word of words.slice(-2)) if (!/^-?\d+$/.test(word)) throw malformed(path, index + 3)
    return words
  })
}

export function writeCheckpoint(fs: FileSystem, path: string, lines: readonly string[]): void {
  fs.writeFileAtomic(path, checkpointText(lines))
}

export const checkpointText = (lines: readonly string[]): string =>
  [VERSION, lines.length, ...lines, ''].join('\n')

/** `topic-partition` to offset, from a checkpoint of lines `topic partition offset`. */
export function readOffsetCheckpoint(fs: FileSystem, path: string): Map<string, number> {
  const offsets = new Map<string, number>()
  for (const [topic, partition, offset] of readCheckpoint(fs, path, 3))
    offsets.set(`${topic}-${partition}`, Number(offset))
  return offsets
}

function malformed(path: string, line: number): StorageError {
  return new StorageError(
    `${path} is damaged in line ${line}: restore it, or remove it and do without what it says`,
  )
}
