import { Command, CommanderError } from 'commander'
import { ConfigError, StorageError } from '../base/errors.ts'
import { addBackupCommands } from './backup-commands.ts'
import { CommandFailure, ExitCode } from './command-failure.ts'
import { addGroupCommands } from './group-commands.ts'
import { addLogCommands } from './log-commands.ts'
import { isReaderGone, watchOutput } from './output.ts'
import { addRecordCommands } from './record-commands.ts'
import { addServerCommands } from './server-commands.ts'
import { addTopicCommands } from './topic-commands.ts'

/**
 * Runs `spool …`. Sets the exit code: 0 done, 1 failed, 2 wrong usage; the reason is the last line
 * on the standard error.
 */
export async function runCommandLine(argv: readonly string[]): Promise<void> {
  // Ends like other tools when nobody reads any more.
  watchOutput((error) => process.exit(isReaderGone(error) ? 0 : ExitCode.FAILURE))
  try {
    await makeProgram().parseAsync([...argv])
  } catch (error) {
    process.exitCode = report(error)
  }
}

function makeProgram(): Command {
  const program = new Command('spool')
    .description('A message broker and distributed log that Kafka clients talk to.')
    .exitOverride()
    .showHelpAfterError('(add --help to see what is possible)')
    .configureOutput({ outputError: (text, write) => write(`spool: ${text}`) })
  addServerCommands(program)
  addTopicCommands(program)
  addRecordCommands(program)
  addGroupCommands(program)
  addLogCommands(program)
  addBackupCommands(program)
  return program
}

function report(error: unknown): number {
  if (error instanceof CommanderError) {
    // It printed its text already; asking for help is no failure.
    return error.exitCode === 0 ? 0 : ExitCode.USAGE
  }
  if (error instanceof CommandFailure) {
    process.stderr.write(`spool: ${error.message}\n`)
    return error.exitCode
  }
  if (error instanceof ConfigError || error instanceof StorageError) {
    process.stderr.write(`spool: ${error.message}\n`)
    return ExitCode.FAILURE
  }
  // Not foreseen, so whoever mends it needs the place.
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  process.stderr.write(`spool: ${text}\n`)
  return ExitCode.FAILURE
}
