/** A value that clients change: what it may be, given what was acknowledged and what was only asked. */
export class Register<T> {
  /** The first was acknowledged; the others were asked for later, in order. */
  #values: T[]

  constructor(value: T) {
    this.#values = [value]
  }

  get possible(): readonly T[] {
    return this.#values
  }

  /** It may become this from now on. */
  ask(value: T): void {
    this.#values.push(value)
  }

  /** It became this, or what was asked for after it. */
  acknowledge(value: T): void {
    const index = this.#values.indexOf(value)
    if (index > 0) this.#values.splice(0, index)
  }

  /** @returns false when it can't be this; else it can't be anything of before any more */
  observe(value: T): boolean {
    if (!this.#values.includes(value)) return false
    this.acknowledge(value)
    return true
  }

  /** Nothing is asked any more: it is this. */
  settle(value: T): void {
    this.#values = [value]
  }
}
