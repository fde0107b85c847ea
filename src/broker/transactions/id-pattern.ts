import { RE2JS } from 're2js'

/**
 * Compiles a pattern of transactional ids in the syntax of RE2, which matches in linear time: a
 * client can't make the broker hang with it. A whole id must match.
 * @returns null when it is no pattern
 */
export function compileIdPattern(pattern: string): ((transactionalId: string) => boolean) | null {
  try {
    const compiled = RE2JS.compile(pattern)
    return (transactionalId) => compiled.matches(transactionalId)
  } catch {
    // RE2JS says by an exception that the text is no pattern; there is nothing else it could mean.
    return null
  }
}
