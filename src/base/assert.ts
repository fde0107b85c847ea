import { AssertionError } from './errors.ts'

/**
 * Guards what we promise ourselves, never what a peer sent. Always on.
 * @param fact one fact, constant text
 * @throws AssertionError when it does not hold
 */
export function assert(condition: boolean, fact: string): asserts condition {
  if (!condition) throw new AssertionError(fact)
}
