import { RE2JS, RE2JSSyntaxException } from 're2js'
import { ErrorCode } from '../../../base/error-code.ts'
import { BrokerError } from '../../../base/errors.ts'
import type { GroupTopics } from '../group-step.ts'
import type { ResolvedRegex } from './consumer-group.ts'

/**
 * Compiles a regular expression in the syntax of RE2, which matches in linear time: a client can't
 * make the broker hang with it.
 * @throws BrokerError INVALID_REGULAR_EXPRESSION
 */
function compile(regex: string): RE2JS {
  try {
    return RE2JS.compile(regex)
  } catch (error) {
    const reason = error instanceof RE2JSSyntaxException ? error.getDescription() : String(error)
    throw new BrokerError(
      ErrorCode.INVALID_REGULAR_EXPRESSION,
      `SubscribedTopicRegex \`${regex}\` is not a valid regular expression: ${reason}.`,
    )
  }
}

/** @throws BrokerError INVALID_REGULAR_EXPRESSION */
export function checkRegex(regex: string): void {
  compile(regex)
}

/** The topics whose whole name matches. Source: TopicRegexResolver of Kafka 4.4. */
export function resolveRegex(regex: string, topics: GroupTopics, nowMs: number): ResolvedRegex {
  const compiled = compile(regex)
  const matched = new Set<string>()
  for (const name of topics.topics.keys()) if (compiled.matches(name)) matched.add(name)
  return { topics: matched, version: topics.offset, timestampMs: nowMs }
}
