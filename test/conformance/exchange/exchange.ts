import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mustRunTool } from '../kafka-tools/tool.ts'
import { mustRun } from '../support/command.ts'
import { freePorts } from '../support/free-ports.ts'
import { ExchangeClient, type Facts } from './exchange-client.ts'
import { type Node, type Quorum, startKafkaNode, startSpoolNode } from './kafka-node.ts'

/** So little that either broker reads snapshots of the other, and logs that begin behind one. */
const CONFIG = {
  'metadata.log.max.record.bytes.between.snapshots': '2000',
  'metadata.log.segment.ms': '2000',
  'metadata.max.retention.bytes': '8000',
  'log.cleaner.backoff.ms': '500',
  // Kafka loses a DeleteRecords of the last minute at SIGKILL.
  'log.flush.start.offset.checkpoint.interval.ms': '200',
  'log.initial.task.delay.ms': '100',
}

/** Of a JVM that SIGTERM ended in good order. */
const JVM_ENDED = 143

const SPOOL = join(import.meta.dirname, '..', '..', '..', 'bin', 'spool.mjs')

/** What is used here of the answer of kafka-log-dirs. */
interface LogDirsReport {
  readonly brokers: readonly {
    readonly logDirs: readonly {
      readonly error: string | null
      readonly partitions: readonly { readonly partition: string; readonly size: number }[]
    }[]
  }[]
}

/** One directory that both brokers use in turn on one port, and what must be in it. */
export class Exchange {
  readonly clients: ExchangeClient
  readonly #home: string
  readonly #quorum: Quorum
  readonly #port: number
  /** What the clients found last; every hop must find it again. */
  #last: Facts | null = null
  /** What only Kafka tells of. */
  #forKafka: Facts | null = null
  #node: Node | null = null
  #round = 0
  #isBroken = false

  private constructor(home: string, quorum: Quorum, port: number, clients: ExchangeClient) {
    this.#home = home
    this.#quorum = quorum
    this.#port = port
    this.clients = clients
  }

  static async begin(quorum: Quorum): Promise<Exchange> {
    const home = await mkdtemp(join(tmpdir(), 'conformance-exchange-'))
    const [port = 0] = await freePorts(1)
    const clients = await ExchangeClient.start(home, `127.0.0.1:${port}`)
    await mkdir(join(home, 'data'))
    return new Exchange(home, quorum, port, clients)
  }

  /** Ends whatever runs, and removes the directory. */
  async end(): Promise<void> {
    await this.#node?.kill()
    await this.clients.close()
    await rm(this.#home, { recursive: true, force: true })
  }

  /** @throws Error at once when a hop before it did */
  async hop(go: () => Promise<void>): Promise<void> {
    assert.ok(!this.#isBroken, 'a hop before this one failed')
    this.#isBroken = true
    await go()
    this.#isBroken = false
  }

  get dataDir(): string {
    return join(this.#home, 'data')
  }

  get node(): Node {
    assert.ok(this.#node)
    return this.#node
  }

  async startKafka(): Promise<void> {
    const { dataDir } = this
    const options = { dataDir, quorum: this.#quorum, port: this.#port, config: CONFIG }
    this.#node = await startKafkaNode(options)
    if (this.#forKafka !== null)
      assert.deepEqual(await this.clients.run('observe-for-kafka'), this.#forKafka)
    await this.#expectAll()
  }

  async startSpool(): Promise<void> {
    this.#node = await startSpoolNode(this.dataDir, this.#port, CONFIG)
    await this.#expectAll()
  }

  /** Ends the broker, cleanly or with SIGKILL. It has found nothing to repair or to set aside. */
  async stop(how: 'cleanly' | 'at once'): Promise<void> {
    const { node } = this
    if (how === 'at once') await node.kill()
    else assert.equal(await node.stop(), node.kind === 'spool' ? 0 : JVM_ENDED, node.output())
    assert.doesNotMatch(node.output(), /stray|corrupt|Malformed|FATAL|OutOfOrder/)
  }

  /** What only Kafka can make. */
  async fill(): Promise<void> {
    await this.clients.run('fill')
    this.#forKafka = await this.clients.run('observe-for-kafka')
  }

  /** Ends the transaction that was left open, then something more of everything, and another one. */
  async change(): Promise<void> {
    if (this.#round > 0) await this.clients.run(`end ${this.#round}`)
    this.#round++
    await this.clients.run(`change ${this.#round}`)
    this.#last = await this.clients.run('observe')
  }

  /** Bytes of the logs of each partition, as kafka-log-dirs tells them and as they lie there. */
  async expectSameSizes(): Promise<void> {
    const address = ['--bootstrap-server', this.node.bootstrap]
    const output = await mustRunTool('log-dirs', [...address, '--describe'])
    const report = JSON.parse(/^\{.*$/m.exec(output)?.[0] ?? '') as LogDirsReport
    const [logDir] = report.brokers[0]?.logDirs ?? []
    assert.equal(logDir?.error, null)
    const told = logDir.partitions.map(({ partition, size }) => [partition, size] as const)
    const sizes: [string, number][] = []
    for (const [partition] of told) {
      const directory = join(this.dataDir, partition)
      const logs = (await readdir(directory)).filter((name) => name.endsWith('.log'))
      const stats = await Promise.all(logs.map((name) => stat(join(directory, name))))
      sizes.push([partition, stats.reduce((sum, { size }) => sum + size, 0)])
    }
    assert.ok(told.length > 10)
    assert.deepEqual(told, sizes)
  }

  /** What `spool doctor` says of the directory, by check. */
  async doctor(): Promise<Map<string, string>> {
    const rows = JSON.parse(await this.spool('doctor', this.dataDir, '-o', 'json')) as {
      check: string
      state: string
      detail: string
    }[]
    return new Map(rows.map(({ check, state, detail }) => [check, `${state}: ${detail}`]))
  }

  spool(...args: string[]): Promise<string> {
    return mustRun(process.execPath, [SPOOL, ...args])
  }

  async #expectAll(): Promise<void> {
    if (this.#last !== null) assert.deepEqual(await this.clients.run('observe'), this.#last)
  }
}
