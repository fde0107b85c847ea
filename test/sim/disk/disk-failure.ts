import { StorageError } from '../../../src/base/errors.ts'

/** The error of an operation as an adapter of the product gives it. */
export function failure(verb: string, path: string, code: string): StorageError {
  const cause = Object.assign(new Error(code), { code })
  return new StorageError(`can't ${verb} ${path}: ${code}`, { cause })
}
