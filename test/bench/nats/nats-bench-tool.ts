import { installNatsCli } from '../../conformance/peers/nats.ts'
import { mustRun } from '../../conformance/support/command.ts'
import { type Measured, measure } from '../process-usage.ts'
import { BENCH_USER, clientCores, type NatsTarget } from './nats-target.ts'
import { waitUntil } from './wait-until.ts'

const LIMIT_MS = 600_000
const SUBJECT = 'bench'

/** Runs `nats bench` on the cores of the clients. Returns the messages per second it prints last. */
export async function natsBench(target: NatsTarget, args: readonly string[]): Promise<number> {
  const program = await installNatsCli()
  const { user, password } = BENCH_USER
  // Nothing that the user keeps for the tool may change what it does here.
  const login = ['--no-context', '--user', user, '--password', password]
  const server = ['--server', `nats://${target.address}`, ...login]
  const command = [program, ...server, 'bench', ...args, '--no-progress']
  const output = await mustRun('taskset', ['-c', clientCores(), ...command], { limitMs: LIMIT_MS })
  const rates = [...output.matchAll(/stats: ([\d,]+) msgs\/sec/g)]
  const rate = Number(rates.at(-1)?.[1]?.replaceAll(',', ''))
  if (rate > 0) return rate
  throw new Error(`nats bench ${args.join(' ')} printed no rate:\n${output.slice(-2000)}`)
}

export interface PublishWork {
  readonly messageCount: number
  readonly messageBytes: number
  readonly subscriberCount: number
  /** 1, or so many subjects that one wildcard of each subscriber matches. */
  readonly subjectCount: number
}

/**
 * One publisher as fast as it can, and subscribers that get all its messages.
 * Measures from the first message to the last, not how they subscribe. The result is messages per
 * second: published without subscribers, else received by all together.
 */
export async function publishAndSubscribe(
  target: NatsTarget,
  work: PublishWork,
): Promise<Measured<number>> {
  const { messageCount, messageBytes, subscriberCount, subjectCount } = work
  const many = subjectCount > 1 ? ['--multisubject'] : []
  const common = [SUBJECT, '--msgs', String(messageCount), '--size', `${messageBytes}B`, ...many]
  const max = subjectCount > 1 ? ['--multisubjectmax', String(subjectCount)] : []
  const publish = (): Promise<number> => natsBench(target, ['pub', ...common, ...max])
  if (subscriberCount === 0) return measure(target.pid, publish)
  const receiving = natsBench(target, ['sub', ...common, '--clients', String(subscriberCount)])
  const subscribed = waitUntil(
    'the subscriptions',
    async () => (await target.subscriptionCount()) === subscriberCount,
  )
  // A subscriber that fails ends the wait.
  await Promise.race([subscribed, receiving])
  return measure(target.pid, async () => {
    await publish()
    return receiving
  })
}
