import { join } from 'node:path'
import { peersDir } from '../peers/cache.ts'
import { installKafka, writeLog4j } from '../peers/kafka.ts'
import { type CommandOptions, type CommandResult, runCommand } from '../support/command.ts'

const TOOLS = 'org.apache.kafka.tools.'

/** The classes behind the scripts of Kafka's distribution, which are not among the published jars. */
const CLASSES = {
  'api-versions': 'BrokerApiVersionsCommand',
  cluster: 'ClusterTool',
  configs: 'ConfigCommand',
  'console-consumer': 'consumer.ConsoleConsumer',
  'console-producer': 'ConsoleProducer',
  'console-share-consumer': 'consumer.ConsoleShareConsumer',
  'consumer-groups': 'consumer.group.ConsumerGroupCommand',
  'consumer-perf-test': 'ConsumerPerformance',
  'delete-records': 'DeleteRecordsCommand',
  'dump-log': 'DumpLogSegments',
  'e2e-latency': 'EndToEndLatency',
  features: 'FeatureCommand',
  'get-offsets': 'GetOffsetShell',
  groups: 'GroupsCommand',
  'log-dirs': 'LogDirsCommand',
  'producer-perf-test': 'ProducerPerformance',
  'share-consumer-perf-test': 'ShareConsumerPerformance',
  'share-groups': 'consumer.group.ShareGroupCommand',
  'streams-groups': 'streams.StreamsGroupCommand',
  'client-compatibility': 'ClientCompatibilityTest',
  topics: 'TopicCommand',
  'transactional-message-copier': 'TransactionalMessageCopier',
  transactions: 'TransactionsCommand',
  'verifiable-consumer': 'VerifiableConsumer',
  'verifiable-producer': 'VerifiableProducer',
  'verifiable-share-consumer': 'VerifiableShareConsumer',
} as const

export type ToolName = keyof typeof CLASSES

/** Runs one of Kafka's command-line tools to its end. */
export async function runTool(
  tool: ToolName,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const libs = await installKafka()
  const log4j = join(peersDir, 'tools-log4j2.properties')
  await writeLog4j(log4j, 'error')
  const jvm = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']
  const settings = [`-Dlog4j2.configurationFile=${log4j}`, '-cp', join(libs, '*')]
  return runCommand('java', [...jvm, ...settings, `${TOOLS}${CLASSES[tool]}`, ...args], options)
}

/** The words of a command line; for arguments that hold spaces, pass a list instead. */
export function words(line: string): string[] {
  return line.split(/\s+/).filter((word) => word !== '')
}

/** Like runTool, but anything except exit status 0 is an exception. Returns standard output. */
export async function mustRunTool(
  tool: ToolName,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const { code, stdout, stderr, isTimedOut } = await runTool(tool, args, options)
  if (code === 0) return stdout
  const why = isTimedOut ? 'took too long' : `ended with ${code}`
  throw new Error(`${tool} ${args.join(' ')} ${why}:\n${`${stdout}\n${stderr}`.slice(-3_000)}`)
}
