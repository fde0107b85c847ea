import type { Command } from 'commander'
import { collect, outputOption } from './common-options.ts'

/** `log dump|verify|compact`: they work on files, no broker is needed. */
export function addLogCommands(program: Command): void {
  const log = program.command('log').description('work on the files of a data directory')

  log
    .command('dump <path>')
    .description('print a file of a partition, or all files of its directory')
    .option('--records', 'print each record, not only the batches')
    .addOption(outputOption())
    .action(async (path, options) =>
      (await import('./commands/log-dump.ts')).dumpLog(path, options),
    )

  log
    .command('verify <dir>')
    .description('check every batch and index below a directory; names what is damaged')
    .addOption(outputOption())
    .action(async (dir, options) =>
      (await import('./commands/log-verify.ts')).verifyLogs(dir, options),
    )

  log
    .command('compact <topic>')
    .description('compact a topic now, in the directory of a stopped broker')
    .option('--data-dir <dir>', 'where the data is (default ./spool-data)')
    .option('--config <file>', 'the server.properties file of the broker')
    .option('--set <name=value>', 'one configuration, over the file; repeatable', collect)
    .option('-p, --partition <number>', 'only this partition')
    .addOption(outputOption())
    .action(async (topic, options) =>
      (await import('./commands/log-compact.ts')).compactLog(topic, options),
    )
}
