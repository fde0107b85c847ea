import { diagnose } from '../../app/diagnosis.ts'
import { parseListenAddress } from '../../app/listen-address.ts'
import { ExitCode } from '../command-failure.ts'
import { type OutputFormat, printRows } from '../output.ts'

/** Prints what a broker would find here; exit code 1 when it could not start. */
export async function doctor(
  dataDir: string,
  options: { readonly kafka: string; readonly output: OutputFormat },
): Promise<void> {
  const found = await diagnose(dataDir, parseListenAddress(options.kafka, '--kafka'))
  const rows = found.map((diagnosis) => ({ ...diagnosis }))
  printRows(options.output, ['check', 'state', 'detail'], rows)
  if (found.some(({ state }) => state === 'problem')) process.exitCode = ExitCode.FAILURE
}
