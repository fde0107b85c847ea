import type { Command } from 'commander'
import { bootstrapOption, collect, outputOption } from './common-options.ts'

/** `topic create|list|describe|alter|delete`. */
export function addTopicCommands(program: Command): void {
  const topic = program.command('topic').description('create, look at and change topics')
  const load = () => import('./commands/topic.ts')

  topic
    .command('create <topic>')
    .description('create a topic')
    .option('-p, --partitions <count>', 'number of partitions (default: as the broker says)')
    .option('-r, --replication-factor <count>', 'replicas (default: as the broker says)')
    .option('-c, --config <name=value>', 'a topic configuration; repeatable', collect)
    .addOption(bootstrapOption())
    .addOption(outputOption())
    .action(async (name, options) => (await load()).createTopic(name, options))

  topic
    .command('list')
    .description('list topics')
    .option('--internal', 'with the topics brokers keep for themselves')
    .addOption(bootstrapOption())
    .addOption(outputOption())
    .action(async (options) => (await load()).listTopics(options))

  topic
    .command('describe <topic>')
    .description('show partitions, offsets and configurations of a topic')
    .addOption(bootstrapOption())
    .addOption(outputOption())
    .action(async (name, options) => (await load()).describeTopic(name, options))

  topic
    .command('alter <topic>')
    .description('add partitions or change configurations')
    .option('-p, --partitions <count>', 'partitions it shall have in all')
    .option('-c, --config <name=value>', 'set a configuration; repeatable', collect)
    .option('--reset <name>', 'take a configuration back to its default; repeatable', collect)
    .addOption(bootstrapOption())
    .addOption(outputOption())
    .action(async (name, options) => (await load()).alterTopic(name, options))

  topic
    .command('delete <topic...>')
    .description('delete topics with all their records')
    .addOption(bootstrapOption())
    .addOption(outputOption())
    .action(async (names, options) => (await load()).deleteTopics(names, options))
}
