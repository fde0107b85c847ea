import { createHash } from 'node:crypto'
import { cp, glob, mkdir, readFile } from 'node:fs/promises'
import { basename, delimiter, join } from 'node:path'
import { mustRun } from '../support/command.ts'
import { cached, needProgram } from './cache.ts'
import { copyJars } from './maven.ts'
import { versions } from './versions.ts'

const sources = join(import.meta.dirname, '..', 'streams')

/** Kafka Streams, with the store that it keeps its state in. Returns the folder of the jars. */
async function installJars(): Promise<string> {
  const group = 'org.apache.kafka'
  const log4j = 'org.apache.logging.log4j'
  const directory = await cached(`kafka-streams-${versions.kafka}`, async (partial) => {
    const libs = join(partial, 'libs')
    await mkdir(libs)
    await copyJars(
      [
        { group, name: 'kafka-streams', version: versions.kafka },
        { group: log4j, name: 'log4j-slf4j-impl', version: versions.log4j },
        { group: log4j, name: 'log4j-core', version: versions.log4j },
      ],
      libs,
    )
  })
  return join(directory, 'libs')
}

/** Compiles our application on Kafka Streams. Returns a class path with it and all it needs. */
export async function installKafkaStreams(): Promise<string> {
  const jars = join(await installJars(), '*')
  const files = (await Array.fromAsync(glob(join(sources, '*.java')))).sort()
  const hash = createHash('sha256').update(versions.kafka)
  for (const file of files) hash.update(await readFile(file))
  const name = `kafka-streams-app-${hash.digest('hex').slice(0, 16)}`
  const classes = await cached(name, async (partial) => {
    await needProgram('javac')
    for (const file of files) await cp(file, join(partial, basename(file)))
    const flags = ['-nowarn', '-proc:none', '-d', partial, '-cp', jars]
    await mustRun('javac', [...flags, ...files], { limitMs: 300_000 })
  })
  return [classes, jars].join(delimiter)
}
