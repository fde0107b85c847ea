import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cached } from './cache.ts'
import { copyJars } from './maven.ts'
import { versions } from './versions.ts'

/** Apache Kafka's broker and command-line tools. Returns the folder that holds their jars. */
export async function installKafka(): Promise<string> {
  const group = 'org.apache.kafka'
  const log4j = 'org.apache.logging.log4j'
  const directory = await cached(`kafka-${versions.kafka}`, async (partial) => {
    const libs = join(partial, 'libs')
    await mkdir(libs)
    await copyJars(
      [
        { group, name: 'kafka_2.13', version: versions.kafka },
        { group, name: 'kafka-tools', version: versions.kafka },
        // Kafka leaves the log backend to its distribution archive.
        { group: log4j, name: 'log4j-slf4j-impl', version: versions.log4j },
        { group: log4j, name: 'log4j-core', version: versions.log4j },
      ],
      libs,
    )
  })
  return join(directory, 'libs')
}

/**
 * A log4j2 configuration that prints problems only; `logger` is one logger to be more talkative.
 * Written beside the process that uses it, so parallel runs share nothing.
 */
export async function writeLog4j(
  file: string,
  rootLevel: 'warn' | 'error',
  infoLogger?: string,
): Promise<void> {
  const lines = [
    'status = error',
    'appender.err.type = Console',
    'appender.err.name = err',
    'appender.err.target = SYSTEM_ERR',
    'appender.err.layout.type = PatternLayout',
    'appender.err.layout.pattern = [%d] %p %m (%c)%n',
    `rootLogger.level = ${rootLevel}`,
    'rootLogger.appenderRef.err.ref = err',
  ]
  if (infoLogger !== undefined) {
    lines.push(`logger.more.name = ${infoLogger}`, 'logger.more.level = info')
  }
  await writeFile(file, `${lines.join('\n')}\n`)
}
