import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { cached } from './cache.ts'
import { compileClasses } from './java-classes.ts'
import { findJava } from './java-home.ts'
import { copyJars } from './maven.ts'
import { versions } from './versions.ts'

const sources = join(import.meta.dirname, '..', 'spring')
/** The first with virtual threads. */
const JAVA_VERSION = 21

export interface SpringKafka {
  /** The program. */
  readonly java: string
  /** Our application with all it needs. */
  readonly classPath: string
}

/** Compiles our application on spring-kafka, with a JDK that has virtual threads. */
export async function installSpringKafka(): Promise<SpringKafka> {
  const { springKafka, log4j } = versions
  const directory = await cached(`spring-kafka-${springKafka}`, async (partial) => {
    const libs = join(partial, 'libs')
    await mkdir(libs)
    await copyJars(
      [
        { group: 'org.springframework.kafka', name: 'spring-kafka', version: springKafka },
        { group: 'org.apache.logging.log4j', name: 'log4j-slf4j-impl', version: log4j },
        { group: 'org.apache.logging.log4j', name: 'log4j-core', version: log4j },
      ],
      libs,
    )
  })
  const home = await findJava(JAVA_VERSION)
  const bin = join(home, 'bin')
  const classPath = await compileClasses({
    name: 'spring-kafka-app',
    sources,
    jars: join(directory, 'libs', '*'),
    version: springKafka,
    javac: join(bin, 'javac'),
  })
  return { java: join(bin, 'java'), classPath }
}
