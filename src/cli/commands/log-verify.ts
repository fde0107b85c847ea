import { bytesToVerify, verifyLogs as verify } from '../../app/log-inspection/verify-logs.ts'
import { ExitCode } from '../command-failure.ts'
import { type OutputFormat, printJson, printRows } from '../output.ts'
import { startProgress } from '../progress.ts'

/** Checks all logs below a directory; exit code 1 when something is damaged. */
export async function verifyLogs(
  directory: string,
  options: { readonly output: OutputFormat },
): Promise<void> {
  const progress = startProgress('checking', bytesToVerify(directory), 'bytes')
  let result: ReturnType<typeof verify>
  try {
    result = verify(directory, (byteCount) => progress.add(byteCount))
  } finally {
    progress.stop()
  }
  const { findings, fileCount, batchCount, recordCount, byteCount } = result
  if (options.output === 'json') printJson(result)
  else {
    const rows = findings.map((finding) => ({ ...finding }))
    if (rows.length > 0) printRows('table', ['file', 'position', 'problem'], rows)
    process.stdout.write(
      `${fileCount} files, ${batchCount} batches, ${recordCount} records, ${byteCount} bytes: ` +
        `${findings.length} problems\n`,
    )
  }
  if (findings.length > 0) process.exitCode = ExitCode.FAILURE
}
