import type { Command } from 'commander'
import { outputOption } from './common-options.ts'

const DATA_DIR = './spool-data'

/** `backup` and `restore`: they copy files, no broker is asked. */
export function addBackupCommands(program: Command): void {
  const load = () => import('./commands/backup.ts')

  program
    .command('backup <dir>')
    .description('copy a data directory, also of a running broker; again: only what changed')
    .option('--data-dir <dir>', 'the data directory', DATA_DIR)
    .option('--throttle <bytes>', 'copy at most so many bytes a second')
    .option('--check', 'copy nothing, but read the backup and check it')
    .addOption(outputOption())
    .action(async (dir, options) => (await load()).backup(dir, options))

  program
    .command('restore <dir>')
    .description('write the data directory of a backup')
    .option('--data-dir <dir>', 'where to, empty or new', DATA_DIR)
    .addOption(outputOption())
    .action(async (dir, options) => (await load()).restore(dir, options))
}
