import { ProtocolError } from '../../src/base/errors.ts'
import { buildBatch } from '../../src/records/batch-builder.ts'
import {
  type Api,
  type Decode,
  decoderOf,
  type Encode,
  encoderOf,
  Reader,
  Writer,
} from '../../src/wire/kafka/codec.ts'
import { requestHeader, requestHeaderVersion } from '../../src/wire/kafka/headers.ts'
import { VECTORS } from '../unit/records/vectors.ts'
import { vectorsOf } from '../vectors/vectors.ts'
import { mutate } from './mutations.ts'
import type { SeededRandom } from './seeded-random.ts'

const TOPICS = ['orders', 'payments', '__consumer_offsets']
const GROUPS = ['billing', 'audit', '']
const CONFIGS = ['retention.ms', 'cleanup.policy', 'segment.bytes', 'compression.type', 'no.such']
const VALUES = ['1', '-1', 'compact', 'delete', '0', 'lz4', '']
const NUMBERS = [-2, -1, 0, 1, 2, 3, 100]

interface Sample {
  readonly api: Api
  readonly version: number
  readonly bytes: Buffer
  /** Fields that this version lacks: they must keep their defaults. Learned from the encoder. */
  readonly fixed: Set<string>
}

const LACKS_FIELD = /\.(\w+) does not exist in version/

/**
 * Requests of all APIs that are served: Kafka's own vectors, the same with names that this broker
 * knows, so that they get past the first check, and both with bytes changed.
 */
export class Corpus {
  readonly #samples: readonly Sample[]
  /** Those that are valid here; the others hold int64s no client sends. */
  readonly #valid: readonly Sample[]
  readonly #random: SeededRandom
  readonly #topicIds: () => readonly string[]
  readonly #reader = new Reader()
  readonly #writer = new Writer()

  /** @param topicIds of the topics that exist */
  constructor(apis: readonly Api[], random: SeededRandom, topicIds: () => readonly string[]) {
    this.#random = random
    this.#topicIds = topicIds
    this.#samples = apis.flatMap((api) =>
      vectorsOf(api.request.name, 'default', 'random')
        .filter(({ version }) => version >= api.versions[0] && version <= api.versions[1])
        .map(({ version, bytes }) => ({ api, version, bytes, fixed: new Set<string>() })),
    )
    this.#valid = this.#samples.filter((sample) => this.#isValid(sample))
  }

  /**
   * Length and frame, as they go over the connection.
   * @param mutatedOneIn how rare changed ones are: they end their connection, and with few of them
   *   more of what is behind the first check is met
   */
  nextFrame(mutatedOneIn: number): Buffer {
    const random = this.#random
    const whole = this.wholeFrame()
    if (!random.oneIn(mutatedOneIn)) return whole
    // Now and then the length is among what changes; else it tells the truth about the rest.
    if (random.oneIn(8)) return mutate(whole, random, () => this.wholeFrame())
    return framed(mutate(whole.subarray(4), random, () => this.wholeFrame()))
  }

  /** A request that can be read, or one of Kafka's random ones. */
  wholeFrame(): Buffer {
    const random = this.#random
    const isAsItWas = random.oneIn(4)
    const sample = random.pick(isAsItWas ? this.#samples : this.#valid)
    const { api, version } = sample
    const header = {
      requestApiKey: api.key,
      requestApiVersion: version,
      correlationId: random.int(1000),
      clientId: random.pick([null, '', 'fuzz']),
    }
    const writer = this.#writer
    writer.beginFrame()
    encoderOf(requestHeader)(requestHeaderVersion(api, version))(writer, header)
    const head = Buffer.concat(writer.finishFrame())
    const body = isAsItWas ? sample.bytes : this.#knowing(sample)
    return framed(Buffer.concat([head.subarray(4), body]))
  }

  /** The request with names, numbers and records that mean something here. */
  #knowing(sample: Sample): Buffer {
    const { api, version, fixed } = sample
    const encode = encoderOf(api.request)(version) as Encode<unknown>
    for (;;) {
      try {
        encode(this.#writer, this.#vary(this.#decode(sample), '', fixed))
        return Buffer.concat(this.#writer.finish())
      } catch (error) {
        this.#writer.discard()
        const field = LACKS_FIELD.exec(String(error))?.[1]
        if (field === undefined || fixed.has(field)) throw error
        fixed.add(field)
      }
    }
  }

  #decode({ api, version, bytes }: Sample): unknown {
    this.#reader.reset(bytes)
    return (decoderOf(api.request)(version) as Decode<unknown>)(this.#reader)
  }

  #isValid(sample: Sample): boolean {
    try {
      this.#decode(sample)
      return true
    } catch (error) {
      if (error instanceof ProtocolError) return false
      throw error
    }
  }

  #vary(value: unknown, key: string, fixed: ReadonlySet<string>): unknown {
    const random = this.#random
    if (fixed.has(key)) return value
    if (Array.isArray(value)) return this.#varyList(value, key, fixed)
    if (key === 'records') return random.oneIn(20) ? null : this.#batch()
    if (value === null || Buffer.isBuffer(value)) return value
    if (typeof value === 'object') {
      const entries = Object.entries(value)
      return Object.fromEntries(
        entries.map(([name, field]) => [name, this.#vary(field, name, fixed)]),
      )
    }
    if (typeof value === 'string') return this.#text(value, key)
    if (typeof value === 'number' && !random.oneIn(8)) return this.#number(key)
    return value
  }

  #varyList(list: readonly unknown[], key: string, fixed: ReadonlySet<string>): unknown[] {
    const varied = list.map((item) => this.#vary(item, key, fixed))
    return this.#random.oneIn(4) ? [...varied, ...varied] : varied
  }

  #text(value: string, key: string): string {
    const random = this.#random
    if (random.oneIn(10)) return value
    if (/Id$|^topicId/.test(key) && value.length === 22) {
      return random.pick([...this.#topicIds(), value])
    }
    if (/topic/i.test(key) || key === 'name') {
      return random.pick(random.oneIn(3) ? [...CONFIGS, ...GROUPS] : TOPICS)
    }
    if (/value/i.test(key)) return random.pick(VALUES)
    if (/protocol/i.test(key)) return random.pick(['consumer', 'range', ''])
    if (/member/i.test(key)) return random.pick(['', value])
    return random.pick([...GROUPS, ...TOPICS, ...CONFIGS])
  }

  #number(key: string): number {
    const random = this.#random
    if (/ms$/i.test(key)) return random.pick([0, 1, 10, 6000, 30_000])
    if (/type$/i.test(key)) return random.pick([0, 1, 2, 3])
    return random.pick(NUMBERS)
  }

  #batch(): Buffer {
    const random = this.#random
    if (random.oneIn(2)) {
      const batch = Buffer.from(random.pick([...VECTORS.values()]))
      batch.writeBigInt64BE(0n, 0)
      return batch
    }
    const record = { timestamp: 1_700_000_000_000, key: Buffer.from('k'), value: Buffer.alloc(20) }
    return buildBatch(
      Array.from({ length: random.int(3) + 1 }, () => record),
      {
        producerId: random.int(3) - 1,
        producerEpoch: random.int(2),
        baseSequence: random.int(4),
      },
    )
  }
}

function framed(frame: Buffer): Buffer {
  const length = Buffer.allocUnsafe(4)
  length.writeInt32BE(frame.byteLength)
  return Buffer.concat([length, frame])
}
