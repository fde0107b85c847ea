import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { mustRun } from '../support/command.ts'
import { cached, needProgram } from './cache.ts'
import { versions } from './versions.ts'

/** The Python clients, in a virtual environment of their own. Returns its interpreter. */
export async function installPythonClients(): Promise<string> {
  const { confluentKafka, kafkaPython } = versions
  const directory = await cached(`python-${confluentKafka}-${kafkaPython}`, async (partial) => {
    await needProgram('python3')
    // The environment moves when it is complete; only its interpreter is run, and that may move.
    await mustRun('python3', ['-m', 'venv', join(partial, 'venv')], { limitMs: 300_000 })
    const wanted = [
      `confluent-kafka==${confluentKafka}`,
      `kafka-python==${kafkaPython}`,
      'lz4',
      'python-snappy',
      'zstandard',
    ]
    const list = join(partial, 'requirements.txt')
    await writeFile(list, `${wanted.join('\n')}\n`)
    const pip = ['-m', 'pip', 'install', '-q', '--only-binary', ':all:', '-r', list]
    await mustRun(join(partial, 'venv', 'bin', 'python'), pip, { limitMs: 600_000 })
  })
  return join(directory, 'venv', 'bin', 'python')
}
