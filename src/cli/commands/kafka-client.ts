import kafkajs, { type Admin, type Kafka as KafkaClient } from 'kafkajs'
import { type CompressionCodec, compressionCodec } from '../../app/compression-codec.ts'
import { CommandFailure } from '../command-failure.ts'

export interface ClientOptions {
  /** `host:port`, several with commas between. */
  readonly bootstrap: string
}

/** Each `host:port` by itself. */
export function bootstrapBrokersOf({ bootstrap }: ClientOptions): string[] {
  return bootstrap.split(',').map((broker) => broker.trim())
}

const CONNECT_TIMEOUT_MS = 3_000
const RETRY = { retries: 3, initialRetryTime: 100, maxRetryTime: 1_000 }

/** Codecs that kafkajs knows the number of but leaves to others. */
const PLUGGED_CODECS = ['Snappy', 'LZ4', 'ZSTD'] as const

/** A client of any Kafka cluster. */
export function connect(options: ClientOptions): KafkaClient {
  silenceTimerWarnings()
  for (const name of PLUGGED_CODECS) {
    kafkajs.CompressionCodecs[kafkajs.CompressionTypes[name]] = () =>
      pluggedCodec(compressionCodec(name))
  }
  return new kafkajs.Kafka({
    clientId: 'spool-cli',
    brokers: bootstrapBrokersOf(options),
    connectionTimeout: CONNECT_TIMEOUT_MS,
    logLevel: kafkajs.logLevel.NOTHING,
    retry: RETRY,
  })
}

let isSilenced = false

/** kafkajs 2.2.4 sets timers with negative delays; Node warns, but nothing is wrong. */
function silenceTimerWarnings(): void {
  if (isSilenced) return
  isSilenced = true
  const listeners = process.listeners('warning')
  process.removeAllListeners('warning')
  process.on('warning', (warning) => {
    if (warning.name === 'TimeoutNegativeWarning') return
    for (const listener of listeners) listener(warning)
  })
}

function pluggedCodec(codec: CompressionCodec) {
  return {
    compress: async (encoder: { readonly buffer: Buffer }) => codec.compress(encoder.buffer),
    decompress: async (buffer: Buffer) => codec.decompress(buffer),
  }
}

/** Runs `task` with a connected admin client and puts its failures into plain words. */
export async function withAdmin<T>(
  options: ClientOptions,
  task: (admin: Admin, kafka: KafkaClient) => Promise<T>,
): Promise<T> {
  const kafka = connect(options)
  const admin = kafka.admin()
  return await explained(options, async () => {
    try {
      await admin.connect()
      return await task(admin, kafka)
    } finally {
      await admin.disconnect()
    }
  })
}

/** Turns errors of the client library into one sentence that says what to do. */
export async function explained<T>(
  { bootstrap }: ClientOptions,
  task: () => Promise<T>,
): Promise<T> {
  try {
    return await task()
  } catch (error) {
    if (error instanceof CommandFailure) throw error
    throw new CommandFailure(explain(error, bootstrap), undefined, { cause: error })
  }
}

function explain(error: unknown, bootstrap: string): string {
  const root = rootOf(error)
  if (isConnectionError(root)) {
    return `no broker answers at ${bootstrap}: start one with "spool serve", or name another with -b`
  }
  const protocolError = protocolErrorOf(root)
  if (protocolError !== undefined) return `${protocolError.message} (${protocolError.type})`
  return root instanceof Error ? root.message : String(root)
}

/** What the broker answered, also when kafkajs wrapped it once more. */
export function protocolErrorOf(error: unknown): kafkajs.KafkaJSProtocolError | undefined {
  if (error instanceof kafkajs.KafkaJSProtocolError) return error
  return error instanceof Error && error.cause !== undefined
    ? protocolErrorOf(error.cause)
    : undefined
}

/** kafkajs wraps: retries in a cause, several topics in a list of errors. */
function rootOf(error: unknown): unknown {
  if (error instanceof kafkajs.KafkaJSAggregateError) return rootOf(error.errors[0])
  if (error instanceof kafkajs.KafkaJSNumberOfRetriesExceeded && error.cause !== undefined) {
    return rootOf(error.cause)
  }
  return error
}

function isConnectionError(error: unknown): boolean {
  if (error instanceof kafkajs.KafkaJSConnectionError) return true
  return error instanceof Error && error.name === 'KafkaJSConnectionClosedError'
}

/** Partitions of a topic, in order. */
export async function partitionsOf(admin: Admin, topic: string) {
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
  const partitions = topics.find(({ name }) => name === topic)?.partitions ?? []
  return [...partitions].sort((a, b) => a.partitionId - b.partitionId)
}

/** @throws CommandFailure when it is missing; asking for metadata alone might create it */
export async function requireTopic(admin: Admin, topic: string): Promise<void> {
  const topics = await admin.listTopics()
  if (!topics.includes(topic)) throw new CommandFailure(`there is no topic ${topic}`)
}
