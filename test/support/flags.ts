import { InvalidArgumentError } from 'commander'

/** Parses the value of a flag: a whole number from 0. */
export function wholeNumber(text: string): number {
  const value = Number(text)
  if (text !== '' && Number.isSafeInteger(value) && value >= 0) return value
  throw new InvalidArgumentError('It is a whole number.')
}

/** Parses the value of a flag: any number above 0. */
export function positiveNumber(text: string): number {
  const value = Number(text)
  if (value > 0 && value < Number.POSITIVE_INFINITY) return value
  throw new InvalidArgumentError('It is a number above 0.')
}

/** Parses the value of a flag: a whole number from 1. */
export function positiveInteger(text: string): number {
  return wholeNumber(String(positiveNumber(text)))
}
