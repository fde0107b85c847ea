import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { mustRun } from '../support/command.ts'
import { cached, needProgram } from './cache.ts'
import { versions } from './versions.ts'

/** Fills a virtual environment of this name with packages. Returns its interpreter. */
async function environment(name: string, packages: readonly string[]): Promise<string> {
  const directory = await cached(name, async (partial) => {
    await needProgram('python3')
    // The environment moves when it is complete; only its interpreter is run, and that may move.
    await mustRun('python3', ['-m', 'venv', join(partial, 'venv')], { limitMs: 300_000 })
    const list = join(partial, 'requirements.txt')
    await writeFile(list, `${packages.join('\n')}\n`)
    const pip = ['-m', 'pip', 'install', '-q', '--only-binary', ':all:', '-r', list]
    await mustRun(join(partial, 'venv', 'bin', 'python'), pip, { limitMs: 600_000 })
  })
  return join(directory, 'venv', 'bin', 'python')
}

const CODECS = ['lz4', 'python-snappy', 'zstandard']

/** The Python clients, in a virtual environment of their own. Returns its interpreter. */
export function installPythonClients(): Promise<string> {
  const { confluentKafka, kafkaPython } = versions
  const clients = [`confluent-kafka==${confluentKafka}`, `kafka-python==${kafkaPython}`]
  return environment(`python-${confluentKafka}-${kafkaPython}`, [...clients, ...CODECS])
}

/** What the tests in a checkout of kafka-python need besides it. Returns the interpreter to run them with. */
export function installPytest(): Promise<string> {
  const { pytest } = versions
  const plugins = ['pytest-mock', 'pytest-timeout', 'py', 'crc32c', 'xxhash']
  return environment(`pytest-${pytest}`, [`pytest==${pytest}`, ...plugins, ...CODECS])
}
