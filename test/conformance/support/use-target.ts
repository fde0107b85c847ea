import { after, before } from 'node:test'
import { startTarget, type Target, type TargetOptions, targetKind } from '../target.ts'

/** Starts a broker before the tests of the calling file, or describe, and removes it after them. */
export function useTarget(options: TargetOptions = {}): () => Target {
  let target: Target | undefined
  before(async () => {
    target = await startTarget(targetKind(), options)
  })
  after(() => target?.stop())
  return () => {
    if (target === undefined) throw new Error('the broker runs only while tests run')
    return target
  }
}
