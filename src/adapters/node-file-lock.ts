import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import { dirname } from 'node:path'
import { ConfigError, StorageError } from '../base/errors.ts'
import type { FileLock } from '../ports/file-system.ts'

/**
 * A lock that dies with its process, without an operating system lock (Node has none). The file
 * names its owner by pid *and* start time, so a pid that was given out again is not mistaken for
 * the owner, and a killed owner does not need a human to remove the file.
 */
interface Owner {
  readonly pid: number
  /** As the system prints it: it differs for every process that ever had this pid. */
  readonly startedAt: string
}

/** How long a taker may hold the guard; it needs a few microseconds. */
const GUARD_STALE_MS = 10_000

/** Locks that this process holds: a second try must fail even where start times are unknown. */
const held = new Set<string>()

export function lockFile(path: string): FileLock {
  if (held.has(path)) throw inUse(path, { pid: process.pid, isSpool: true })
  try {
    takeLock(path)
  } catch (error) {
    if (error instanceof ConfigError) throw error
    throw new StorageError(`can't lock ${path}: ${String(error)}`, { cause: error })
  }
  held.add(path)
  return {
    release() {
      if (!held.delete(path)) return
      fs.rmSync(path, { force: true })
    },
  }
}

function takeLock(path: string): void {
  const mine = `${path}.${process.pid}`
  fs.writeFileSync(mine, JSON.stringify({ pid: process.pid, startedAt: startedAtOf(process.pid) }))
  try {
    // A link appears with its content at once, so nobody ever reads a half-written lock.
    if (linkIfFree(mine, path)) return
    const guard = `${path}.guard`
    takeGuard(guard, path)
    try {
      const owner = livingOwnerOf(path)
      if (owner !== undefined) throw inUse(path, owner)
      fs.renameSync(mine, path)
    } finally {
      fs.rmSync(guard, { force: true })
    }
  } finally {
    fs.rmSync(mine, { force: true })
  }
}

function linkIfFree(from: string, to: string): boolean {
  try {
    fs.linkSync(from, to)
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
}

/** Only one process at a time may judge an old lock and replace it. */
function takeGuard(guard: string, path: string): void {
  const stat = fs.statSync(guard, { throwIfNoEntry: false })
  if (stat !== undefined && Date.now() - stat.mtimeMs > GUARD_STALE_MS) fs.rmSync(guard)
  try {
    fs.closeSync(fs.openSync(guard, 'wx'))
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
    throw new ConfigError(
      `data directory ${dirname(path)} is being opened by another process: try again`,
    )
  }
}

/**
 * Takes nothing and changes nothing.
 * @throws ConfigError naming the process that holds the lock
 * @throws StorageError when the file can't be read
 */
export function requireUnlocked(path: string): void {
  try {
    const owner = livingOwnerOf(path)
    if (owner !== undefined) throw inUse(path, owner)
  } catch (error) {
    if (error instanceof ConfigError) throw error
    throw new StorageError(`can't read ${path}: ${String(error)}`, { cause: error })
  }
}

interface LivingOwner {
  readonly pid: number
  readonly isSpool: boolean
}

function livingOwnerOf(path: string): LivingOwner | undefined {
  const owner = readOwner(path)
  const startedAt = owner === undefined ? '' : startedAtOf(owner.pid)
  if (owner !== undefined && startedAt !== '' && startedAt === owner.startedAt)
    return { pid: owner.pid, isSpool: true }
  // Kafka does not change the file, so it may name a Spool that was killed.
  const pid = systemLockOwnerOf(path)
  return pid === undefined ? undefined : { pid, isSpool: false }
}

/** undefined: empty or not ours; Apache Kafka leaves an empty file. */
function readOwner(path: string): Owner | undefined {
  try {
    const value: unknown = JSON.parse(fs.readFileSync(path, 'utf8'))
    const { pid, startedAt } = value as Partial<Owner>
    if (typeof pid === 'number' && typeof startedAt === 'string') return { pid, startedAt }
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' && !(error instanceof SyntaxError)) throw error
  }
  return undefined
}

/** Apache Kafka holds an operating system lock on the file; Linux lists those. */
function systemLockOwnerOf(path: string): number | undefined {
  const stat = fs.statSync(path, { throwIfNoEntry: false })
  if (stat === undefined || !fs.existsSync('/proc/locks')) return undefined
  for (const line of fs.readFileSync('/proc/locks', 'utf8').split('\n')) {
    const [, , , , pid, place] = line.trim().split(/\s+/)
    if (place?.split(':')[2] === String(stat.ino) && Number(pid) > 0) return Number(pid)
  }
  return undefined
}

/** '' when there is no such process. */
function startedAtOf(pid: number): string {
  if (fs.existsSync('/proc/self/stat')) {
    try {
      const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1')
      // The command in parentheses may hold spaces; the start time is field 22 of the whole line.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      // A zombie has ended: it only waits for its parent.
      return fields[0] === 'Z' ? '' : (fields[19] ?? '')
    } catch (error) {
      if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ESRCH') return ''
      throw error
    }
  }
  return spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).stdout.trim()
}

function inUse(path: string, { pid, isSpool }: LivingOwner): ConfigError {
  const who = isSpool ? 'Spool process' : 'Apache Kafka, or another program that locks it, process'
  return new ConfigError(
    `data directory ${dirname(path)} is in use by ${who} ${pid}: ` +
      'stop it or choose another --data-dir',
  )
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code
}
