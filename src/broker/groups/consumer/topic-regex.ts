import { RE2JS, RE2JSSyntaxException } from 're2js'
import { ErrorCode } from '../../../base/error-code.ts'
import { BrokerError } from '../../../base/errors.ts'
import type { GroupTopics } from '../group-step.ts'
import type { ResolvedRegex } from './consumer-group.ts'

/**
 * Matching takes time in proportion to the name and to the program that the expression is compiled to.
 * These keep it to about a millisecond for the longest name, and compiling to well below a second.
 */
const MAX_REGEX_LENGTH = 2_048
const MAX_PROGRAM_SIZE = 2_000

/**
 * Compiles a regular expression in the syntax of RE2, which matches in linear time.
 * @throws BrokerError INVALID_REGULAR_EXPRESSION
 */
function compile(regex: string): RE2JS {
  try {
    return RE2JS.compile(regex)
  } catch (error) {
    const reason = error instanceof RE2JSSyntaxException ? error.getDescription() : String(error)
    throw invalid(`\`${regex}\` is not a valid regular expression: ${reason}.`)
  }
}

/**
 * What a member wants to subscribe to. An expression that is in the log already is taken as it is.
 * @throws BrokerError INVALID_REGULAR_EXPRESSION, also for one that would take the broker's time
 */
export function checkRegex(regex: string): void {
  if (regex.length > MAX_REGEX_LENGTH) {
    throw invalid(
      `has ${regex.length} characters; this broker takes ${MAX_REGEX_LENGTH}. Subscribe by names, ` +
        'or to a common prefix.',
    )
  }
  if (compile(regex).programSize() > MAX_PROGRAM_SIZE) {
    throw invalid('has repetitions that take too long to match. Repeat with `*` or `+` instead.')
  }
}

const invalid = (reason: string): BrokerError =>
  new BrokerError(ErrorCode.INVALID_REGULAR_EXPRESSION, `SubscribedTopicRegex ${reason}`)

/** The topics whose whole name matches. Source: TopicRegexResolver of Kafka 4.4. */
export function resolveRegex(regex: string, topics: GroupTopics, nowMs: number): ResolvedRegex {
  const compiled = compile(regex)
  const matched = new Set<string>()
  for (const name of topics.topics.keys()) if (compiled.matches(name)) matched.add(name)
  return { topics: matched, version: topics.offset, timestampMs: nowMs }
}
