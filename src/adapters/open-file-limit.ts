import { readFileSync } from 'node:fs'

/**
 * How many files and sockets this process may have open; null where the system does not tell. Node
 * has raised the soft limit to the hard one when it started. Source: proc(5).
 */
export function openFileLimit(limitsFile = '/proc/self/limits'): number | null {
  try {
    const limit = /^Max open files\s+(\d+|unlimited)/m.exec(readFileSync(limitsFile, 'utf8'))?.[1]
    if (limit === undefined) return null
    return limit === 'unlimited' ? Number.MAX_SAFE_INTEGER : Number(limit)
  } catch {
    return null
  }
}
