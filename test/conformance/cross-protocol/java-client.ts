import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { installCrossProtocol } from '../peers/cross-protocol.ts'
import { writeLog4j } from '../peers/kafka.ts'
import { mustRun } from '../support/command.ts'
import type { BlockHashes } from './record-hash.ts'

const LIMIT_MS = 600_000

/**
 * Runs Kafka's Java producer, or a member of a consumer group, to its end; CrossProtocol.java has
 * the commands.
 * @returns hashes of what was produced or consumed; produced records have times only
 * @throws Error with what it printed when records are missing
 */
export async function runJavaClient(
  bootstrap: string,
  ...command: readonly (string | number)[]
): Promise<BlockHashes> {
  const directory = await mkdtemp(join(tmpdir(), 'conformance-cross-'))
  try {
    const log4j = join(directory, 'log4j2.properties')
    await writeLog4j(log4j, 'error')
    const jvm = ['-Xmx512m', '-XX:+UseSerialGC', `-Dlog4j2.configurationFile=${log4j}`]
    const program = ['-cp', await installCrossProtocol(), 'CrossProtocol', bootstrap]
    const args = [...jvm, ...program, ...command.map(String)]
    return parse(await mustRun('java', args, { limitMs: LIMIT_MS }))
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

function parse(output: string): BlockHashes {
  const rows = output.trim().split('\n')
  const column = (index: number) => rows.map((row) => row.split(' ')[index] ?? '')
  return { content: column(0), times: column(1) }
}
