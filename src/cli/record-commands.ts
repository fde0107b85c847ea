import { type Command, Option } from 'commander'
import { bootstrapOption, collect, outputOption } from './common-options.ts'

/** `produce` and `consume`. */
export function addRecordCommands(program: Command): void {
  program
    .command('produce <topic>')
    .description('send each line of the standard input as a record')
    .option('-k, --key-separator <text>', 'text between key and value of a line')
    .option('-H, --header <name=value>', 'a header of every record; repeatable', collect)
    .option('-p, --partition <number>', 'send to this partition')
    .addOption(
      new Option('--acks <acks>', 'who must have a record')
        .choices(['0', '1', 'all'])
        .default('all'),
    )
    .addOption(
      new Option('--compression <codec>', 'compress batches')
        .choices(['none', 'gzip', 'snappy', 'lz4', 'zstd'])
        .default('none'),
    )
    .addOption(bootstrapOption())
    .addOption(outputOption())
    .action(async (topic, options) =>
      (await import('./commands/produce.ts')).produce(topic, options),
    )

  program
    .command('consume <topic>')
    .description('print records; without -n or --timeout until interrupted')
    .option('--from-beginning', 'start with the first record')
    .option('--offset <offset>', 'start each partition at this offset')
    .option('-p, --partition <number>', 'only this partition')
    .option('-g, --group <group>', 'read as a member of this group and commit offsets')
    .option('-n, --count <count>', 'stop after so many records')
    .option('--timeout <ms>', 'stop when no record came for so long')
    .option('--print-key', 'print the key, a tab, then the value')
    .addOption(bootstrapOption())
    .addOption(outputOption())
    .action(async (topic, options) =>
      (await import('./commands/consume.ts')).consume(topic, options),
    )
}
