import { fstatSync } from 'node:fs'
import kafkajs, { type Message, type Producer } from 'kafkajs'
import { CommandFailure, parseCount, usageFailure } from '../command-failure.ts'
import { type OutputFormat, printDone } from '../output.ts'
import { startProgress } from '../progress.ts'
import {
  type ClientOptions,
  connect,
  explained,
  partitionsOf,
  protocolErrorOf,
  requireTopic,
  withAdmin,
} from './kafka-client.ts'

interface ProduceOptions extends ClientOptions {
  readonly output: OutputFormat
  readonly keySeparator?: string
  readonly header?: readonly string[]
  readonly partition?: string
  readonly acks: '0' | '1' | 'all'
  readonly compression: keyof typeof COMPRESSION
}

const COMPRESSION = {
  none: kafkajs.CompressionTypes.None,
  gzip: kafkajs.CompressionTypes.GZIP,
  snappy: kafkajs.CompressionTypes.Snappy,
  lz4: kafkajs.CompressionTypes.LZ4,
  zstd: kafkajs.CompressionTypes.ZSTD,
} as const

const STDIN = 0

/** A line without an end must not fill the memory; brokers take about 1 MiB by default. */
const MAX_LINE_BYTES = 64 * 1024 * 1024

/** Sends the lines of the standard input; what one read brings goes as one batch. */
export async function produce(topic: string, options: ProduceOptions): Promise<void> {
  const toMessage = messageMaker(options)
  const producer = connect(options).producer({ allowAutoTopicCreation: true })
  let sent = 0
  await explained(options, async () => {
    try {
      if (options.partition !== undefined) await requirePartition(topic, options)
      await producer.connect()
      sent = await sendLines(process.stdin, producer, (lines) => ({
        topic,
        acks: options.acks === 'all' ? -1 : Number(options.acks),
        compression: COMPRESSION[options.compression],
        messages: lines.map(toMessage),
      }))
    } catch (error) {
      throw refusal(topic, error) ?? error
    } finally {
      await producer.disconnect()
    }
  })
  printDone(options.output, `sent ${sent} records to ${topic}`, { topic, sent })
}

/** kafkajs drops records for a partition that is not there, and says nothing. */
async function requirePartition(topic: string, options: ProduceOptions): Promise<void> {
  const partition = parseCount(options.partition ?? '', '--partition')
  await withAdmin(options, async (admin) => {
    await requireTopic(admin, topic)
    const numbers = (await partitionsOf(admin, topic)).map(({ partitionId }) => partitionId)
    if (numbers.includes(partition)) return
    throw new CommandFailure(`${topic} has no partition ${partition}, only ${numbers.join(', ')}`)
  })
}

/** What the user can do about it, where Kafka's own words do not say so. */
function refusal(topic: string, error: unknown): CommandFailure | undefined {
  const why = { cause: error }
  switch (protocolErrorOf(error)?.type) {
    case 'MESSAGE_TOO_LARGE': {
      const remedy = `raise it with "spool topic alter ${topic} -c max.message.bytes=…", or send less`
      const text = `a batch is larger than max.message.bytes of ${topic}: ${remedy}`
      return new CommandFailure(text, undefined, why)
    }
    case 'INVALID_TOPIC_EXCEPTION':
      return new CommandFailure(
        `"${topic}" can't be written to: it is a topic of the broker itself, or no name for a topic`,
        undefined,
        why,
      )
    default:
      return undefined
  }
}

async function sendLines(
  input: NodeJS.ReadStream,
  producer: Producer,
  batchOf: (lines: readonly string[]) => Parameters<Producer['send']>[0],
): Promise<number> {
  const progress = startProgress('sending', inputBytes(), 'bytes')
  let sent = 0
  const send = async (lines: readonly string[]): Promise<void> => {
    if (lines.length === 0) return
    await producer.send(batchOf(lines))
    sent += lines.length
  }
  try {
    for await (const { lines, byteCount } of linesOf(input)) {
      // Reading waits for the broker, so memory holds one batch.
      await send(lines)
      progress.add(byteCount)
    }
  } finally {
    progress.stop()
  }
  return sent
}

/** Whole lines as they come, without their ends; the last one may have no end. */
async function* linesOf(
  input: AsyncIterable<Buffer>,
): AsyncGenerator<{ lines: string[]; byteCount: number }> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of input) {
    const end = chunk.lastIndexOf(0x0a)
    if (end < 0) {
      rest = Buffer.concat([rest, chunk])
      if (rest.length > MAX_LINE_BYTES)
        throw usageFailure(`a line has over ${MAX_LINE_BYTES} bytes`)
      continue
    }
    const whole = Buffer.concat([rest, chunk.subarray(0, end)]).toString('utf8')
    rest = Buffer.from(chunk.subarray(end + 1))
    yield { lines: whole.split('\n').map(withoutReturn), byteCount: chunk.length }
  }
  if (rest.length > 0) yield { lines: [withoutReturn(rest.toString('utf8'))], byteCount: 0 }
}

const withoutReturn = (line: string): string => (line.endsWith('\r') ? line.slice(0, -1) : line)

/** Size of the input when it is a file; else nobody knows. */
function inputBytes(): number | undefined {
  const status = fstatSync(STDIN)
  return status.isFile() ? status.size : undefined
}

function messageMaker(options: ProduceOptions): (line: string) => Message {
  const { keySeparator } = options
  const given = (options.header ?? []).map(parseHeader)
  // A header may come several times.
  const headers = Object.fromEntries(
    [...Map.groupBy(given, ([name]) => name)].map(([name, same]) => [
      name,
      same.map(([, value]) => value),
    ]),
  )
  const partition =
    options.partition === undefined
      ? {}
      : { partition: parseCount(options.partition, '--partition') }
  return (line) => {
    const at = keySeparator === undefined ? -1 : line.indexOf(keySeparator)
    if (keySeparator !== undefined && at < 0) {
      throw usageFailure(`a line has no key separator "${keySeparator}": ${line.slice(0, 80)}`)
    }
    const key = at < 0 ? null : line.slice(0, at)
    const value = at < 0 ? line : line.slice(at + (keySeparator ?? '').length)
    return { key, value, headers, ...partition }
  }
}

function parseHeader(text: string): readonly [name: string, value: string] {
  const at = text.indexOf('=')
  if (at <= 0) throw usageFailure(`--header "${text}" is not name=value`)
  return [text.slice(0, at), text.slice(at + 1)]
}
