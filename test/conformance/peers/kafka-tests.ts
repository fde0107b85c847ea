import { createHash } from 'node:crypto'
import { cp, glob, mkdir, readFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { mustRun } from '../support/command.ts'
import { cached, needProgram } from './cache.ts'
import { copyJars } from './maven.ts'
import { versions } from './versions.ts'

const group = 'org.apache.kafka'
const version = versions.kafkaTests
const sources = join(import.meta.dirname, '..', 'kafka-java', 'src')

/** Kafka's published test jars come first: they hold classes that the main jars lack. */
const TEST_JARS = ['kafka-clients-integration-tests', 'kafka-clients', 'kafka_2.13']

async function installJars(): Promise<string> {
  return cached(`kafka-tests-${version}`, async (partial) => {
    const main = ['kafka-test-common-runtime', 'kafka-test-common-internal-api', 'kafka_2.13']
    await mkdir(join(partial, 'libs'))
    await copyJars(
      [
        ...[...main, 'kafka-tools', 'kafka-streams'].map((name) => ({ group, name, version })),
        {
          group: 'org.junit.platform',
          name: 'junit-platform-console',
          version: versions.junitConsole,
        },
        { group: 'org.mockito', name: 'mockito-junit-jupiter', version: '5.14.2' },
        { group: 'org.hamcrest', name: 'hamcrest', version: '2.2' },
        {
          group: 'org.apache.logging.log4j',
          name: 'log4j-slf4j-impl',
          version: versions.log4j,
        },
        { group: 'org.apache.logging.log4j', name: 'log4j-core', version: versions.log4j },
      ],
      join(partial, 'libs'),
    )
    await mkdir(join(partial, 'tests'))
    await copyJars(
      TEST_JARS.map((name) => ({ group, name, version, classifier: 'test' as const })),
      join(partial, 'tests'),
    )
  })
}

/** Of the group coordinator and of the command-line tools for groups, with what they are built on. */
const MORE_TEST_JARS = ['kafka-tools', 'kafka-server-common']

async function installMoreJars(): Promise<string> {
  return cached(`kafka-group-tests-${version}-2`, async (partial) => {
    await mkdir(join(partial, 'tests'))
    await copyJars(
      MORE_TEST_JARS.map((name) => ({ group, name, version, classifier: 'test' as const })),
      join(partial, 'tests'),
    )
    // One class about streams groups still asserts with the old JUnit.
    await copyJars([{ group: 'junit', name: 'junit', version: '4.13.2' }], join(partial, 'tests'))
  })
}

async function compile(classPath: string): Promise<string> {
  const files = (await Array.fromAsync(glob(join(sources, '**/*.java')))).sort()
  const hash = createHash('sha256')
  for (const file of files) hash.update(await readFile(file))
  const name = `kafka-tests-driver-${hash.digest('hex').slice(0, 16)}`
  return cached(name, async (partial) => {
    await needProgram('javac')
    const classes = join(partial, 'classes')
    const flags = ['-nowarn', '-proc:none', '-d', classes, '-cp', classPath]
    await mustRun('javac', [...flags, ...files], { limitMs: 300_000 })
    await cp(join(sources, 'META-INF'), join(classes, 'META-INF'), { recursive: true })
  })
}

/**
 * Kafka's client integration tests and our driver for them.
 * @returns a class path with our classes first, so that they hide the one they stand in for
 */
export async function installKafkaTests(): Promise<string> {
  const jars = await installJars()
  const tests = TEST_JARS.map((name) => join(jars, 'tests', `${name}-${version}-test.jar`))
  const more = join(await installMoreJars(), 'tests', '*')
  const classPath = [...tests, more, join(jars, 'libs', '*')].join(delimiter)
  const driver = await compile(classPath)
  return `${join(driver, 'classes')}${delimiter}${classPath}`
}
