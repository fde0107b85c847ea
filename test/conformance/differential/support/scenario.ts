import type { Broker } from './broker.ts'

/** A conversation with a broker. What it returns, masked, must be the same for Kafka and Spool. */
export interface Scenario {
  /** The rule that the conversation shows, in the words of the protocol. */
  readonly title: string
  run(broker: Broker): Promise<unknown>
  /** What Spool answers where it means to differ; FINDINGS.md has the reason. */
  readonly spoolAnswers?: unknown
}

export function scenario(title: string, run: (broker: Broker) => Promise<unknown>): Scenario {
  return { title, run }
}

/** A conversation in which Spool means to answer otherwise than Kafka; FINDINGS.md has the reason. */
export function differs(
  title: string,
  spoolAnswers: unknown,
  run: (broker: Broker) => Promise<unknown>,
): Scenario {
  return { title, run, spoolAnswers }
}

/** How long something took, in words that do not depend on how busy the machine is. */
export async function didWait(leastMs: number, action: () => Promise<unknown>): Promise<boolean> {
  const started = performance.now()
  await action()
  return performance.now() - started >= leastMs
}
