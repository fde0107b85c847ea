import { makeBackup } from '../../app/backup/make-backup.ts'
import { checkBackup, restoreBackup } from '../../app/backup/restore-backup.ts'
import { parseCount } from '../command-failure.ts'
import { type OutputFormat, printDone } from '../output.ts'
import { type Progress, startProgress } from '../progress.ts'

interface CommonOptions {
  readonly output: OutputFormat
  readonly dataDir: string
}

interface BackupOptions extends CommonOptions {
  readonly check?: boolean
  readonly throttle?: string
}

/** Copies a data directory, whether a broker uses it or not; or checks a backup. */
export async function backup(directory: string, options: BackupOptions): Promise<void> {
  const { dataDir, throttle, output } = options
  if (options.check === true) return await check(directory, output)
  const bytesPerSecond = throttle === undefined ? undefined : parseCount(throttle, '--throttle', 1)
  const result = await watched('copying', (watch) =>
    makeBackup({ dataDir, directory, ...(bytesPerSecond && { bytesPerSecond }), ...watch }),
  )
  for (const warning of result.warnings) process.stderr.write(`spool: warning: ${warning}\n`)
  const { fileCount, byteCount, copiedCount, copiedBytes, startedAt } = result
  printDone(
    output,
    `${directory} has all that was acknowledged before ${startedAt}: ` +
      `${fileCount} files, ${byteCount} bytes; copied ${copiedCount} files, ${copiedBytes} bytes`,
    { directory, ...result },
  )
}

/** Writes the data directory of a backup. */
export async function restore(directory: string, options: CommonOptions): Promise<void> {
  const { dataDir, output } = options
  const result = await watched('restoring', (watch) =>
    restoreBackup(dataDir, { directory, ...watch }),
  )
  const { fileCount, byteCount, startedAt } = result
  printDone(
    output,
    `${dataDir} is as ${directory} had it at ${startedAt}: ${fileCount} files, ${byteCount} bytes`,
    { dataDir, ...result },
  )
}

async function check(directory: string, output: OutputFormat): Promise<void> {
  const result = await watched('checking', (watch) => checkBackup({ directory, ...watch }))
  const { fileCount, byteCount } = result
  printDone(output, `${directory} is whole: ${fileCount} files, ${byteCount} bytes`, {
    directory,
    ...result,
  })
}

interface Watch {
  readonly started: (totalBytes: number) => void
  readonly progress: (byteCount: number) => void
}

/** Runs `work` with a bar that knows its end as soon as the work does. */
async function watched<T>(task: string, work: (watch: Watch) => Promise<T>): Promise<T> {
  let bar: Progress | undefined
  try {
    return await work({
      started: (totalBytes) => {
        bar = startProgress(task, totalBytes, 'bytes')
      },
      progress: (byteCount) => bar?.add(byteCount),
    })
  } finally {
    bar?.stop()
  }
}
