import { CommandFailure, ExitCode, parseCount, usageFailure } from '../command-failure.ts'
import type { OutputFormat } from '../output.ts'
import type { StartOffset } from './consume-directly.ts'
import { type ClientOptions, explained, partitionsOf, withAdmin } from './kafka-client.ts'
import { RecordOutput } from './record-output.ts'

interface ConsumeOptions extends ClientOptions {
  readonly output: OutputFormat
  readonly fromBeginning?: boolean
  readonly offset?: string
  readonly partition?: string
  readonly group?: string
  readonly count?: string
  readonly timeout?: string
  readonly printKey?: boolean
}

/** Prints records until so many came, none came for so long, a signal, or the reader is gone. */
export async function consume(topic: string, options: ConsumeOptions): Promise<void> {
  const { fromBeginning, group, count, timeout, printKey } = options
  const startOffset = startOffsetOf(options)
  const partition = optionalCount(options.partition, '--partition')
  const maxCount = optionalCount(count, '--count') ?? Number.POSITIVE_INFINITY
  const timeoutMs = optionalCount(timeout, '--timeout', 1)
  if (maxCount === 0) return
  const output = new RecordOutput({
    output: options.output,
    printKey: printKey ?? false,
    partition,
    maxCount,
    timeoutMs,
  })
  endOnSignals(output)
  await explained(options, async () => {
    const partitions = await existingPartitions(topic, partition, options)
    if (group === undefined) {
      const { consumeDirectly } = await import('./consume-directly.ts')
      const wanted = partition === undefined ? partitions : [partition]
      await consumeDirectly(options, topic, wanted, startOffset, output)
    } else {
      const { consumeInGroup } = await import('./consume-in-group.ts')
      const seekOffset = typeof startOffset === 'number' ? startOffset : undefined
      const place = { topic, group, partitions, seekOffset, fromBeginning: fromBeginning ?? false }
      await consumeInGroup(options, place, output)
    }
  })
}

function startOffsetOf({ offset, fromBeginning }: ConsumeOptions): StartOffset {
  if (offset === undefined) return fromBeginning === true ? 'earliest' : 'latest'
  if (fromBeginning === true) throw usageFailure('--offset and --from-beginning exclude each other')
  return parseCount(offset, '--offset')
}

function optionalCount(text: string | undefined, flag: string, min = 0): number | undefined {
  return text === undefined ? undefined : parseCount(text, flag, min)
}

/** @throws CommandFailure when the topic or the wanted partition is not there */
async function existingPartitions(
  topic: string,
  partition: number | undefined,
  options: ClientOptions,
): Promise<number[]> {
  return await withAdmin(options, async (admin) => {
    if (!(await admin.listTopics()).includes(topic)) {
      throw new CommandFailure(`there is no topic ${topic}`)
    }
    const numbers = (await partitionsOf(admin, topic)).map(({ partitionId }) => partitionId)
    if (partition !== undefined && !numbers.includes(partition)) {
      throw new CommandFailure(`${topic} has no partition ${partition}, only ${numbers.join(', ')}`)
    }
    return numbers
  })
}

/** The first signal ends reading in order, the second at once. */
function endOnSignals(output: RecordOutput): void {
  let isEnding = false
  const end = (): void => {
    if (isEnding) process.exit(ExitCode.FAILURE)
    isEnding = true
    output.end()
  }
  process.on('SIGINT', end)
  process.on('SIGTERM', end)
}
