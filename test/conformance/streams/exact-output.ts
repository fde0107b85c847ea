import { type OutputRecord, WORD_COUNT } from './streams-run.ts'

/**
 * What is wrong with the output of the copy: every record once, those of a key in their order.
 * @returns empty when it is exact
 */
export function copyProblems(output: readonly OutputRecord[], recordCount: number): string[] {
  const problems: string[] = []
  const seen = new Map<number, number>()
  const last = new Map<string, number>()
  for (const { key, value } of output) {
    const number = Number(value.split(' ')[1])
    seen.set(number, (seen.get(number) ?? 0) + 1)
    if (number <= (last.get(key) ?? -1)) problems.push(`${value} of key ${key} is out of order`)
    last.set(key, number)
  }
  for (let number = 0; number < recordCount; number++) {
    const count = seen.get(number) ?? 0
    if (count !== 1) problems.push(`record ${number} is there ${count} times`)
  }
  if (output.length !== recordCount) problems.push(`${output.length} records for ${recordCount}`)
  return problems
}

/** The same for the count of words: each count goes up by one, to how often the word came. */
export function countProblems(output: readonly OutputRecord[], recordCount: number): string[] {
  const problems: string[] = []
  const counts = new Map<string, number>()
  for (const { key, value } of output) {
    const before = counts.get(key) ?? 0
    if (Number(value) !== before + 1) problems.push(`${key} goes from ${before} to ${value}`)
    counts.set(key, Number(value))
  }
  for (let word = 0; word < WORD_COUNT; word++) {
    const expected = Math.ceil((recordCount - word) / WORD_COUNT)
    const found = counts.get(`word${word}`) ?? 0
    if (found !== expected) problems.push(`word${word} came ${expected} times, counted ${found}`)
  }
  return problems
}
