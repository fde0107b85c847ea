import { isSubscribable } from '../../subjects/subject.ts'
import { isSubset } from '../../subjects/subject-subset.ts'

const HASH_PARTS = 0x1_0000_0000

type Part =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'wildcard'; readonly index: number }
  | { readonly kind: 'rest' }
  | { readonly kind: 'partition'; readonly count: number; readonly indexes: readonly number[] }
  | { readonly kind: 'split'; readonly index: number; readonly by: string }
  | { readonly kind: 'cut'; readonly index: number; readonly at: number; readonly end: CutEnd }
  | { readonly kind: 'slice'; readonly index: number; readonly size: number; readonly end: CutEnd }

type CutEnd = 'left' | 'right'

const MUSTACHE = /^\{\{\s*(\w+)\s*\((.*)\)\s*\}\}$/
const OLD_WILDCARD = /^\$(\d+)$/

/**
 * Changes subjects: tokens of the source in the place of `*` go where the destination says so.
 * Source: subject_transform.go of nats-server (ADR-30).
 */
export class SubjectTransform {
  readonly source: string
  readonly #wildcards: number[] = []
  readonly #restAt: number
  readonly #parts: readonly Part[]

  private constructor(source: string, parts: readonly Part[]) {
    this.source = source
    this.#parts = parts
    const tokens = source.split('.')
    for (const [at, token] of tokens.entries()) if (token === '*') this.#wildcards.push(at)
    this.#restAt = tokens.indexOf('>')
  }

  /** @returns the transform, or in words why there is none */
  static make(source: string, destination: string): SubjectTransform | string {
    const from = source === '' ? '>' : source
    if (!isSubscribable(from) || !isSubscribable(destination)) return 'invalid subject'
    const wildcardCount = from.split('.').filter((token) => token === '*').length
    const parts: Part[] = []
    let seen = 0
    for (const token of destination.split('.')) {
      const part = partOf(token, wildcardCount, seen)
      if (typeof part === 'string') return part
      if (token === '*') seen++
      parts.push(part)
    }
    const isWhole = from.endsWith('>')
    if (parts.some(({ kind }) => kind === 'rest') !== isWhole) {
      return 'invalid mapping destination: not enough tokens or wildcards'
    }
    return new SubjectTransform(from, parts)
  }

  /** The changed subject, or null when the source does not take it. */
  apply(subject: string): string | null {
    if (!isSubset(subject, this.source)) return null
    const tokens = subject.split('.')
    const wildcards = this.#wildcards.map((at) => tokens[at] ?? '')
    const made: string[] = []
    for (const part of this.#parts) made.push(...this.#made(part, wildcards, tokens))
    return made.join('.')
  }

  #made(part: Part, wildcards: readonly string[], tokens: readonly string[]): readonly string[] {
    switch (part.kind) {
      case 'text':
        return [part.text]
      case 'wildcard':
        return [wildcards[part.index] ?? '']
      case 'rest':
        return tokens.slice(this.#restAt)
      case 'partition': {
        const text = part.indexes.length === 0 ? wildcards : part.indexes.map((i) => wildcards[i])
        return [String(partitionOf(text.join(''), part.count))]
      }
      case 'split':
        return (wildcards[part.index] ?? '').split(part.by).filter((one) => one !== '')
      case 'cut':
        return cut(wildcards[part.index] ?? '', part.at, part.end)
      case 'slice':
        return slices(wildcards[part.index] ?? '', part.size, part.end)
    }
  }
}

/** @param seen wildcards of the destination before it, which stand for those of the source in order */
function partOf(token: string, wildcardCount: number, seen: number): Part | string {
  const noWildcard = 'invalid mapping destination: wildcard index out of range'
  if (token === '>') return { kind: 'rest' }
  if (token === '*') return seen < wildcardCount ? { kind: 'wildcard', index: seen } : noWildcard
  const old = OLD_WILDCARD.exec(token)
  if (old !== null) {
    const index = Number(old[1]) - 1
    return index >= 0 && index < wildcardCount ? { kind: 'wildcard', index } : noWildcard
  }
  if (!token.startsWith('{{')) return { kind: 'text', text: token }
  const call = MUSTACHE.exec(token)
  if (call === null) return `invalid mapping destination: unknown function in ${token}`
  const [, name = '', list = ''] = call
  return functionOf(name.toLowerCase(), list.split(','), wildcardCount, token)
}

function functionOf(
  name: string,
  rawArgs: readonly string[],
  wildcardCount: number,
  token: string,
): Part | string {
  const args = rawArgs.map((arg) => arg.trim())
  const [first = '', second = ''] = args
  const index = Number(first) - 1
  const isIndex = Number.isInteger(index) && index >= 0 && index < wildcardCount
  const amount = Number(second)
  const isAmount = Number.isInteger(amount) && amount > 0
  const bad = `invalid mapping destination: wrong arguments in ${token}`
  const end = name.endsWith('right') ? 'right' : 'left'
  switch (name) {
    case 'wildcard':
      return isIndex && args.length === 1 ? { kind: 'wildcard', index } : bad
    case 'partition': {
      const count = Number(first)
      const indexes = args.slice(1).map((arg) => Number(arg) - 1)
      const isGood =
        Number.isInteger(count) && count > 0 && indexes.every((i) => i >= 0 && i < wildcardCount)
      return isGood ? { kind: 'partition', count, indexes } : bad
    }
    case 'split':
      return isIndex && args.length === 2 && !/[ .]/.test(second)
        ? { kind: 'split', index, by: second }
        : bad
    case 'splitfromleft':
    case 'splitfromright':
      return isIndex && isAmount ? { kind: 'cut', index, at: amount, end } : bad
    case 'slicefromleft':
    case 'slicefromright':
      return isIndex && isAmount ? { kind: 'slice', index, size: amount, end } : bad
    default:
      return `invalid mapping destination: unknown function in ${token}`
  }
}

function cut(token: string, at: number, end: CutEnd): readonly string[] {
  if (at >= token.length) return [token]
  const place = end === 'left' ? at : token.length - at
  return [token.slice(0, place), token.slice(place)]
}

function slices(token: string, size: number, end: CutEnd): readonly string[] {
  if (size >= token.length) return [token]
  const made: string[] = []
  const rest = end === 'right' ? token.length % size : 0
  if (rest > 0) made.push(token.slice(0, rest))
  for (let at = rest; at < token.length; at += size) made.push(token.slice(at, at + size))
  return made
}

/** FNV-1a, as nats-server has it for partitions. */
function partitionOf(text: string, count: number): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0
  }
  return (hash % HASH_PARTS) % count
}
