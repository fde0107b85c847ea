import type { Clock } from '../../../src/ports/clock.ts'
import type { Logger } from '../../../src/ports/logger.ts'
import type { Random } from '../../../src/ports/random.ts'

/** Stands still unless moved. */
export class FakeClock implements Clock {
  timeMs = 1_700_000_000_000

  nowMs(): number {
    return this.timeMs
  }

  monotonicMs(): number {
    return this.timeMs
  }
}

/** Counts instead of rolling dice, so that ids are the same in every run. */
export class CountingRandom implements Random {
  #count = 0

  int(below: number): number {
    return this.#count++ % below
  }

  uuid(): string {
    const bytes = Buffer.alloc(16, 0x5a)
    bytes.writeUInt32BE(++this.#count, 12)
    return bytes.toString('base64url')
  }
}

export const SILENT: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => SILENT,
}
