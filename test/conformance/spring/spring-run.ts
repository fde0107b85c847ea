import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before } from 'node:test'
import { writeLog4j } from '../peers/kafka.ts'
import { installSpringKafka, type SpringKafka } from '../peers/spring-kafka.ts'
import { mustRun } from '../support/command.ts'
import { ServerProcess } from '../support/server-process.ts'

const LIMIT_MS = 120_000

/** Starts our application on spring-kafka. */
export interface SpringRunner {
  /** Runs a scenario to its end. @returns what it printed, by name */
  run(bootstrap: string, ...args: readonly string[]): Promise<Record<string, string>>
  /** Starts one that goes on until it is ended. */
  start(bootstrap: string, ...args: readonly string[]): ServerProcess
}

/** Installs it before the tests of the calling file, or describe. */
export function useSpring(): SpringRunner {
  let app: SpringKafka | undefined
  let directory = ''
  before(async () => {
    app = await installSpringKafka()
    directory = await mkdtemp(join(tmpdir(), 'conformance-spring-'))
    await writeLog4j(join(directory, 'log4j2.properties'), 'error')
  })
  after(() => rm(directory, { recursive: true, force: true }))
  const command = (bootstrap: string, args: readonly string[]): [string, string[]] => {
    if (app === undefined) throw new Error('spring-kafka is there only while tests run')
    const logging = `-Dlog4j2.configurationFile=${join(directory, 'log4j2.properties')}`
    const jvm = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', logging]
    return [app.java, [...jvm, '-cp', app.classPath, 'SpringApp', bootstrap, ...args]]
  }
  return {
    async run(bootstrap, ...args) {
      const output = await mustRun(...command(bootstrap, args), { limitMs: LIMIT_MS })
      const lines = output.split('\n').filter((line) => line.includes('\t'))
      return Object.fromEntries(lines.map((line) => line.split('\t', 2)))
    },
    start: (bootstrap, ...args) => new ServerProcess(...command(bootstrap, args)),
  }
}
