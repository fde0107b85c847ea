import type { Random } from '../../../ports/random.ts'
import type { ConsumerConfig } from './consumer-config.ts'

const PERCENT = 100

/** Of which acks others are told (`sample_freq`). */
export class AckSampler {
  readonly #random: Random
  #percent = 0

  constructor(config: ConsumerConfig, random: Random) {
    this.#random = random
    this.configure(config)
  }

  configure({ sample_freq: frequency = '' }: ConsumerConfig): void {
    this.#percent = Number(frequency.replace('%', ''))
  }

  get isOn(): boolean {
    return this.#percent > 0
  }

  /** Whether the next one is among them. */
  takes(): boolean {
    return this.#random.int(PERCENT) < this.#percent
  }
}
