import { join } from 'node:path'
import { needProgram } from './cache.ts'
import { compileClasses } from './java-classes.ts'
import { installKafka } from './kafka.ts'
import { versions } from './versions.ts'

const sources = join(import.meta.dirname, '..', 'cross-protocol')

/** Compiles Kafka's side of the test across protocols. Returns a class path with all it needs. */
export async function installCrossProtocol(): Promise<string> {
  const jars = join(await installKafka(), '*')
  await needProgram('javac')
  return compileClasses({
    name: 'cross-protocol',
    sources,
    jars,
    version: versions.kafka,
    javac: 'javac',
  })
}
