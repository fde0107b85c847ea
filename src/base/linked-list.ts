/** A place in a list: what takes its item out again. */
export interface ListNode<T> {
  readonly item: T
  previous: ListNode<T> | null
  next: ListNode<T> | null
  isListed: boolean
}

/**
 * Items that come and go quickly, first come first. A Set is wrong for them: it replaces its table
 * again and again, each old table keeps the next alive, and once one has reached V8's old generation
 * so do all items that pass.
 */
export class LinkedList<T> {
  #first: ListNode<T> | null = null
  #last: ListNode<T> | null = null

  get isEmpty(): boolean {
    return this.#first === null
  }

  add(item: T): ListNode<T> {
    const previous = this.#last
    const node: ListNode<T> = { item, previous, next: null, isListed: true }
    if (previous === null) this.#first = node
    else previous.next = node
    this.#last = node
    return node
  }

  /** Taking out twice does nothing. */
  remove(node: ListNode<T>): void {
    if (!node.isListed) return
    const { previous, next } = node
    if (previous === null) this.#first = next
    else previous.next = next
    if (next === null) this.#last = previous
    else next.previous = previous
    node.previous = null
    node.next = null
    node.isListed = false
  }

  /** What is in it now, unmoved by what comes and goes meanwhile: see `isListed`. */
  nodes(): ListNode<T>[] {
    const nodes: ListNode<T>[] = []
    for (let node = this.#first; node !== null; node = node.next) nodes.push(node)
    return nodes
  }
}
