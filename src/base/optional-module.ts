import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

/**
 * Loads a CommonJS package that may be missing or have no binary for this platform.
 * @returns its exports, or undefined when it cannot be loaded: the caller has another way
 */
export function loadOptionalModule(name: string): unknown {
  try {
    return require(name)
  } catch {
    // Missing binaries show up in many shapes (ENOENT, ERR_DLOPEN_FAILED, plain Error); all mean no.
    return undefined
  }
}
