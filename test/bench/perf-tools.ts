import { join } from 'node:path'
import { peersDir } from '../conformance/peers/cache.ts'
import { installKafka, writeLog4j } from '../conformance/peers/kafka.ts'
import { mustRun } from '../conformance/support/command.ts'
import { perfRow, progressRate, withoutProgress } from '../support/perf-table.ts'

const LIMIT_MS = 300_000

/**
 * Runs a performance tool of Kafka with room to work: the client must not be the bottleneck, so no
 * flags for a quick start of the JVM here.
 */
async function runPerfTool(name: string, args: readonly string[]): Promise<string> {
  const libs = await installKafka()
  const log4j = join(peersDir, 'tools-log4j2.properties')
  await writeLog4j(log4j, 'error')
  const jvm = ['-Xmx1g', `-Dlog4j2.configurationFile=${log4j}`, '-cp', join(libs, '*')]
  return mustRun('java', [...jvm, `org.apache.kafka.tools.${name}`, ...args], { limitMs: LIMIT_MS })
}

/** Sizes in MB are of 10^6 bytes here; Kafka's tools print MiB under the name MB. */
const MIB_IN_MB = 1.048576

export interface ProduceResult {
  readonly recordsPerSecond: number
  readonly megabytesPerSecond: number
  readonly averageMs: number
  readonly p99Ms: number
}

export interface ProduceOptions {
  readonly bootstrap: string
  readonly topic: string
  readonly recordBytes: number
  readonly recordCount: number
  /** Producer settings besides acks=all, NAME=VALUE. */
  readonly properties: readonly string[]
}

/** ProducerPerformance as fast as it can. @throws Error when its summary is not as expected */
export async function producerPerformance(options: ProduceOptions): Promise<ProduceResult> {
  const { bootstrap, topic, recordBytes, recordCount, properties } = options
  const size = ['--record-size', String(recordBytes), '--num-records', String(recordCount)]
  const settings = [`bootstrap.servers=${bootstrap}`, 'acks=all', ...properties]
  const args = ['--topic', topic, ...size, '--throughput', '-1', '--command-property', ...settings]
  const output = await runPerfTool('ProducerPerformance', args)
  const summary = output.split('\n').find((line) => line.includes('99.9th')) ?? ''
  const match =
    /^(\d+) records sent, ([\d.]+) records\/sec \(([\d.]+) MB\/sec\), ([\d.]+) ms avg.*?(\d+) ms 99th/.exec(
      summary,
    )
  if (match === null || Number(match[1]) !== recordCount) throw unexpected(output)
  return {
    recordsPerSecond: Number(match[2]),
    megabytesPerSecond: Number(match[3]) * MIB_IN_MB,
    averageMs: Number(match[4]),
    p99Ms: Number(match[5]),
  }
}

export interface ConsumeResult {
  readonly megabytes: number
  /** Without the time it took to join the group. */
  readonly megabytesPerSecond: number
}

/** ConsumerPerformance over the first `recordCount` records of a topic. */
export async function consumerPerformance(
  bootstrap: string,
  topic: string,
  recordCount: number,
): Promise<ConsumeResult> {
  const records = ['--num-records', String(recordCount), '--timeout', '30000']
  const args = ['--bootstrap-server', bootstrap, '--topic', topic, ...records]
  const output = await runPerfTool('ConsumerPerformance', args)
  const row = perfRow(output)
  // It reads whole batches, so it may see a few more than it was asked for.
  if (row('data.consumed.in.nMsg') < recordCount) throw unexpected(output)
  return {
    megabytes: row('data.consumed.in.MB') * MIB_IN_MB,
    megabytesPerSecond: row('fetch.MB.sec') * MIB_IN_MB,
  }
}

export interface ShareConsumeResult {
  readonly megabytes: number
  /** From the first records the member was given to the last: without the time it took to join. */
  readonly megabytesPerSecond: number
}

/** ShareConsumerPerformance: one member reads `recordCount` records and acknowledges them. */
export async function shareConsumerPerformance(
  bootstrap: string,
  topic: string,
  groupId: string,
  recordCount: number,
): Promise<ShareConsumeResult> {
  const records = ['--num-records', String(recordCount), '--timeout', '30000']
  const where = ['--bootstrap-server', bootstrap, '--topic', topic, '--group', groupId]
  const progress = ['--show-detailed-stats', '--reporting-interval', '1']
  const args = [...where, ...records, ...progress]
  const output = await runPerfTool('ShareConsumerPerformance', args)
  const row = perfRow(withoutProgress(output))
  if (row('data.consumed.in.nMsg') < recordCount) throw unexpected(output)
  return {
    megabytes: row('data.consumed.in.MB') * MIB_IN_MB,
    megabytesPerSecond: progressRate(output) * MIB_IN_MB,
  }
}

export interface LatencyResult {
  readonly averageMs: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** EndToEndLatency: one record at a time through a producer and a consumer. */
export async function endToEndLatency(
  bootstrap: string,
  topic: string,
  recordCount: number,
  recordBytes: number,
): Promise<LatencyResult> {
  const size = ['--record-size', String(recordBytes), '--num-records', String(recordCount)]
  const where = ['--bootstrap-server', bootstrap, '--topic', topic, '--producer-acks', 'all']
  const output = await runPerfTool('EndToEndLatency', [...where, ...size])
  const average = /Avg latency: ([\d.]+) ms/.exec(output)
  const percentiles = /50th = (\d+), 99th = (\d+)/.exec(output)
  if (average === null || percentiles === null) throw unexpected(output)
  return {
    averageMs: Number(average[1]),
    p50Ms: Number(percentiles[1]),
    p99Ms: Number(percentiles[2]),
  }
}

function unexpected(output: string): Error {
  return new Error(`the tool printed no result:\n${output.slice(-2000)}`)
}
