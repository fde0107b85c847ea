import type { Command } from 'commander'
import { outputOption } from './common-options.ts'

/** `log dump|verify`: they read files, no broker is needed. */
export function addLogCommands(program: Command): void {
  const log = program.command('log').description('look into the files of a data directory')

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
}
