import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { cached, needProgram } from './cache.ts'
import { compileClasses } from './java-classes.ts'
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
  await needProgram('javac')
  return compileClasses({
    name: 'kafka-streams-app',
    sources,
    jars,
    version: versions.kafka,
    javac: 'javac',
  })
}
