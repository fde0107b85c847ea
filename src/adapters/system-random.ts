import { randomBytes, randomInt } from 'node:crypto'
import type { Random } from '../ports/random.ts'

/** Version 4 and the variant of RFC 9562, as `java.util.UUID.randomUUID` sets them. */
const VERSION_BYTE = 6
const VARIANT_BYTE = 8

/** Randomness of the operating system. */
export class SystemRandom implements Random {
  int(below: number): number {
    return randomInt(below)
  }

  uuid(): string {
    for (;;) {
      const bytes = randomBytes(16)
      bytes[VERSION_BYTE] = ((bytes[VERSION_BYTE] ?? 0) & 0x0f) | 0x40
      bytes[VARIANT_BYTE] = ((bytes[VARIANT_BYTE] ?? 0) & 0x3f) | 0x80
      const text = bytes.toString('base64url')
      // Kafka's tools take a leading '-' for an option.
      if (!text.startsWith('-')) return text
    }
  }
}
