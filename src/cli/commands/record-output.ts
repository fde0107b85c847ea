import { isReaderGone, type OutputFormat, printJson, watchOutput } from '../output.ts'

/** A record as both client libraries can give it. */
export interface ReadRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly (readonly [name: string, value: Buffer | string | null])[]
}

export interface RecordOutputOptions {
  readonly output: OutputFormat
  readonly printKey: boolean
  /** The only partition that is wanted; undefined: all. */
  readonly partition: number | undefined
  readonly maxCount: number
  /** Reading ends when no record came for so long; undefined: never. */
  readonly timeoutMs: number | undefined
}

/** Prints records, and knows when enough were printed. */
export class RecordOutput {
  /** Resolves when reading is to end: enough records, silence, or nobody reads the output. */
  readonly done: Promise<void>
  readonly #options: RecordOutputOptions
  readonly #print: (record: ReadRecord) => void
  #finish: () => void = () => {}
  #isDone = false
  #printedCount = 0
  #timer: NodeJS.Timeout | undefined

  constructor(options: RecordOutputOptions) {
    this.#options = options
    this.#print = options.output === 'json' ? printRecord : textPrinter(options.printKey)
    this.done = new Promise((resolve, reject) => {
      this.#finish = resolve
      watchOutput((error) => (isReaderGone(error) ? this.end() : reject(error)))
    })
  }

  /** Silence counts from here. */
  start(): void {
    clearTimeout(this.#timer)
    const { timeoutMs } = this.#options
    if (timeoutMs !== undefined && !this.#isDone) {
      this.#timer = setTimeout(() => this.end(), timeoutMs)
    }
  }

  /** Prints the record if it is wanted; resolves when the next one may come. */
  async take(record: ReadRecord): Promise<void> {
    const { partition, maxCount } = this.#options
    if (this.#isDone || (partition !== undefined && partition !== record.partition)) return
    this.start()
    this.#print(record)
    this.#printedCount++
    if (this.#printedCount >= maxCount) this.end()
    else if (process.stdout.writableNeedDrain) await this.#drained()
  }

  /** Prints nothing more. */
  end(): void {
    this.#isDone = true
    clearTimeout(this.#timer)
    this.#finish()
  }

  get isDone(): boolean {
    return this.#isDone
  }

  /** A slow reader must not make the records pile up in memory; one that is gone never drains. */
  async #drained(): Promise<void> {
    const drained = new Promise<void>((resolve) => process.stdout.once('drain', resolve))
    clearTimeout(this.#timer)
    await Promise.race([drained, this.done])
    this.start()
  }
}

function printRecord({ headers, key, value, ...record }: ReadRecord): void {
  printJson({
    ...record,
    key: textOf(key),
    value: textOf(value),
    headers: headers.map(([name, content]) => [name, content?.toString() ?? null]),
  })
}

function textPrinter(printKey: boolean): (record: ReadRecord) => void {
  return ({ key, value }) => {
    const prefix = printKey ? `${textOf(key) ?? ''}\t` : ''
    process.stdout.write(`${prefix}${textOf(value) ?? ''}\n`)
  }
}

function textOf(bytes: Buffer | null): string | null {
  return bytes === null ? null : bytes.toString('utf8')
}
