import { isSameBytes } from '../../base/bytes.ts'
import { fnv1a } from '../../base/fnv1a.ts'
import type { Matches } from './matches.ts'

const DOT = 46
const FIRST_TOKENS = 64
const ANY = '*'
const REST = '>'

/** A token of subscription subjects, and those that end with it. */
class TrieNode<T> {
  readonly token: Buffer
  /** Tokens with the same hash. */
  next: TrieNode<T> | null = null
  children: Map<number, TrieNode<T>> | null = null
  /** `*`: any one token. */
  any: TrieNode<T> | null = null
  /** `>`: all tokens from here on, at least one. */
  rest: TrieNode<T> | null = null
  plain: Set<T> | null = null
  groups: Map<string, Set<T>> | null = null

  constructor(token: Buffer) {
    this.token = token
  }

  get isUnused(): boolean {
    return (
      this.children === null &&
      this.any === null &&
      this.rest === null &&
      this.plain === null &&
      this.groups === null
    )
  }
}

/**
 * Subscriptions by subject. Tokens are found by hash and compared as bytes, so that matching makes no
 * text of what was published.
 */
export class SubjectTrie<T> {
  readonly #root = new TrieNode<T>(Buffer.alloc(0))
  /** Secret, or a client could choose tokens that all have one hash. */
  readonly #seed: number
  #starts = new Int32Array(FIRST_TOKENS)
  #ends = new Int32Array(FIRST_TOKENS)
  #tokenCount = 0
  /** Tokens that the last match looked at. */
  #depth = 0

  constructor(seed: number) {
    this.#seed = seed
  }

  /** @param subject valid, one character for each byte */
  insert(subject: string, queue: string, value: T): void {
    let node = this.#root
    for (const token of subject.split('.')) node = this.#childOrNew(node, token)
    if (queue === '') {
      node.plain ??= new Set()
      node.plain.add(value)
      return
    }
    node.groups ??= new Map()
    const group = node.groups.get(queue)
    if (group === undefined) node.groups.set(queue, new Set([value]))
    else group.add(value)
  }

  remove(subject: string, queue: string, value: T): void {
    const path: TrieNode<T>[] = [this.#root]
    const tokens = subject.split('.')
    for (const token of tokens) {
      const child = this.#child(path[path.length - 1] as TrieNode<T>, token)
      if (child === null) return
      path.push(child)
    }
    removeFrom(path[path.length - 1] as TrieNode<T>, queue, value)
    for (let depth = tokens.length; depth > 0; depth--) {
      const node = path[depth] as TrieNode<T>
      if (!node.isUnused) return
      this.#detach(path[depth - 1] as TrieNode<T>, node, tokens[depth - 1] as string)
    }
  }

  /** Adds to `into` whoever listens to the subject `bytes[start..end)`. */
  match(bytes: Buffer, start: number, end: number, into: Matches<T>): void {
    this.#depth = 0
    if (this.#split(bytes, start, end)) this.#matchFrom(this.#root, bytes, 0, into)
    else this.#tokenCount = 0
  }

  /**
   * Where the part of the last subject ends, with its dot, that its matches depend on: whatever comes
   * behind it has the same ones, if it is a token or more.
   * @returns -1 when they depend on the whole subject
   */
  prefixEnd(start: number): number {
    const depth = this.#depth
    if (depth >= this.#tokenCount) return -1
    return depth === 0 ? start : (this.#ends[depth - 1] as number) + 1
  }

  #matchFrom(node: TrieNode<T>, bytes: Buffer, index: number, into: Matches<T>): void {
    if (node.rest !== null) collect(node.rest, into)
    if (node.children === null && node.any === null) return
    if (index >= this.#depth) this.#depth = index + 1
    const child = this.#literal(
      node,
      bytes,
      this.#starts[index] as number,
      this.#ends[index] as number,
    )
    if (index === this.#tokenCount - 1) {
      if (child !== null) collect(child, into)
      if (node.any !== null) collect(node.any, into)
      return
    }
    if (child !== null) this.#matchFrom(child, bytes, index + 1, into)
    if (node.any !== null) this.#matchFrom(node.any, bytes, index + 1, into)
  }

  /** @returns false for a subject with an empty token, to which nobody can listen */
  #split(bytes: Buffer, start: number, end: number): boolean {
    let count = 0
    let tokenStart = start
    for (let at = start; at <= end; at++) {
      if (at < end && bytes[at] !== DOT) continue
      if (at === tokenStart) return false
      if (count === this.#starts.length) this.#growTokens()
      this.#starts[count] = tokenStart
      this.#ends[count++] = at
      tokenStart = at + 1
    }
    this.#tokenCount = count
    return true
  }

  #growTokens(): void {
    const starts = new Int32Array(this.#starts.length * 2)
    const ends = new Int32Array(this.#starts.length * 2)
    starts.set(this.#starts)
    ends.set(this.#ends)
    this.#starts = starts
    this.#ends = ends
  }

  #literal(parent: TrieNode<T>, bytes: Buffer, start: number, end: number): TrieNode<T> | null {
    if (parent.children === null) return null
    let node = parent.children.get(fnv1a(bytes, start, end, this.#seed)) ?? null
    while (node !== null && !isSameBytes(bytes, start, end, node.token)) node = node.next
    return node
  }

  #child(parent: TrieNode<T>, token: string): TrieNode<T> | null {
    if (token === ANY) return parent.any
    if (token === REST) return parent.rest
    const bytes = Buffer.from(token, 'latin1')
    return this.#literal(parent, bytes, 0, bytes.byteLength)
  }

  #childOrNew(parent: TrieNode<T>, token: string): TrieNode<T> {
    const found = this.#child(parent, token)
    if (found !== null) return found
    const node = new TrieNode<T>(Buffer.from(token, 'latin1'))
    if (token === ANY) parent.any = node
    else if (token === REST) parent.rest = node
    else {
      parent.children ??= new Map()
      const hash = fnv1a(node.token, 0, node.token.byteLength, this.#seed)
      node.next = parent.children.get(hash) ?? null
      parent.children.set(hash, node)
    }
    return node
  }

  #detach(parent: TrieNode<T>, node: TrieNode<T>, token: string): void {
    if (token === ANY) parent.any = null
    else if (token === REST) parent.rest = null
    else {
      const children = parent.children as Map<number, TrieNode<T>>
      const hash = fnv1a(node.token, 0, node.token.byteLength, this.#seed)
      const first = children.get(hash) as TrieNode<T>
      if (first !== node) {
        let before = first
        while (before.next !== node) before = before.next as TrieNode<T>
        before.next = node.next
      } else if (node.next !== null) children.set(hash, node.next)
      else children.delete(hash)
      if (children.size === 0) parent.children = null
    }
  }
}

function removeFrom<T>(node: TrieNode<T>, queue: string, value: T): void {
  const values = queue === '' ? node.plain : node.groups?.get(queue)
  values?.delete(value)
  if (values?.size !== 0) return
  if (queue === '') node.plain = null
  else node.groups?.delete(queue)
  if (node.groups?.size === 0) node.groups = null
}

function collect<T>(node: TrieNode<T>, into: Matches<T>): void {
  if (node.plain !== null) for (const value of node.plain) into.plain.push(value)
  if (node.groups === null) return
  for (const [name, values] of node.groups) {
    const group = into.group(name)
    for (const value of values) group.push(value)
  }
}
