import type { Random } from '../../ports/random.ts'

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** Letters and digits, for names that nobody else has. */
export function randomText(random: Random, length: number): string {
  let text = ''
  while (text.length < length) text += DIGITS[random.int(DIGITS.length)]
  return text
}
