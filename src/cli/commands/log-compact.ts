import { loadSettings, parseSetting } from '../../app/broker-settings.ts'
import { compactTopic } from '../../app/compact-topic.ts'
import { nodeIdOnDisk } from '../../app/data-directory/node-on-disk.ts'
import { createPinoLogger } from '../../app/logging.ts'
import { parseCount } from '../command-failure.ts'
import { type OutputFormat, printRows } from '../output.ts'

export interface CompactCommandOptions {
  readonly dataDir?: string
  readonly config?: string
  readonly set?: readonly string[]
  readonly partition?: string
  readonly output: OutputFormat
}

/** Compacts a topic of a stopped broker and prints what came of each partition. */
export async function compactLog(topic: string, options: CompactCommandOptions): Promise<void> {
  const { dataDir, config, set = [], partition, output } = options
  const settings = loadSettings({
    settings: new Map(set.map(parseSetting)),
    ...(config !== undefined && { configFile: config }),
    ...(dataDir !== undefined && { dataDir }),
    http: false,
    nodeIdOf: nodeIdOnDisk,
  })
  const compacted = await compactTopic({
    settings,
    logger: createPinoLogger('warn'),
    topic,
    ...(partition !== undefined && { partition: parseCount(partition, '--partition') }),
  })
  const rows = compacted.map((one) => ({ ...one }))
  printRows(output, ['partition', 'bytesBefore', 'bytesAfter', 'compactedTo'], rows)
}
