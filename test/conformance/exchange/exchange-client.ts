import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { installKafka, writeLog4j } from '../peers/kafka.ts'

/** What clients found at a broker, by name. */
export type Facts = Readonly<Record<string, string>>

const JVM = 'java'
const LIMIT_MS = 90_000
const ERRORS_LIMIT_CHARS = 8_000

/** Java clients in one process, which stay while brokers come and go. They end with this process. */
export class ExchangeClient {
  readonly #child: ChildProcessWithoutNullStreams
  readonly #lines: AsyncIterator<string>
  #errors = ''

  private constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child
    this.#lines = createInterface(child.stdout)[Symbol.asyncIterator]()
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#errors = (this.#errors + text).slice(-ERRORS_LIMIT_CHARS)
    })
  }

  /** @param home where its log settings go */
  static async start(home: string, bootstrap: string): Promise<ExchangeClient> {
    const log4j = join(home, 'client-log4j2.properties')
    await writeLog4j(log4j, 'error')
    const source = join(import.meta.dirname, 'ExchangeClient.java')
    const jvm = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']
    const libs = ['-cp', join(await installKafka(), '*')]
    const settings = [`-Dlog4j2.configurationFile=${log4j}`, ...libs, source, bootstrap]
    return new ExchangeClient(spawn(JVM, [...jvm, ...settings]))
  }

  /**
   * Has the clients do something and waits for the end of it.
   * @throws Error with what they printed when they can't
   */
  async run(command: string): Promise<Facts> {
    this.#child.stdin.write(`${command}\n`)
    const limit = setTimeout(() => this.#child.kill('SIGQUIT'), LIMIT_MS - 2_000)
    const insist = setTimeout(() => this.#child.kill('SIGKILL'), LIMIT_MS)
    try {
      const facts: Record<string, string> = {}
      while (true) {
        const { value, done } = await this.#lines.next()
        if (done === true) throw new Error(`the clients ended in ${command}: ${this.#errors}`)
        if (value === 'ok') return facts
        if (value.startsWith('failed'))
          throw new Error(`the clients could not ${command}: ${value}\n${this.#errors}`)
        const [name = '', fact = ''] = value.split('\t')
        facts[name] = fact
      }
    } finally {
      clearTimeout(limit)
      clearTimeout(insist)
    }
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const closed = once(this.#child, 'close')
    this.#child.stdin.end()
    const insist = setTimeout(() => this.#child.kill('SIGKILL'), LIMIT_MS)
    await closed
    clearTimeout(insist)
  }
}
