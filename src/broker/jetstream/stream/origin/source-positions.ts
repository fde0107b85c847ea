import { parseSourceHeader, type SourcePosition } from './source-header.ts'

/**
 * How far a stream has come with each of its sources, from the headers of its own messages. What was
 * kept counts where the log has no message of a source any more.
 */
export class SourcePositions {
  readonly #positions = new Map<string, SourcePosition>()

  constructor(kept: readonly SourcePosition[]) {
    for (const position of kept) this.#positions.set(position.source, position)
  }

  get all(): readonly SourcePosition[] {
    return [...this.#positions.values()]
  }

  get(source: string): SourcePosition | undefined {
    return this.#positions.get(source)
  }

  /** A message with this header is durable. In the order of the log. */
  note(header: string): void {
    const position = parseSourceHeader(header)
    if (position !== null) this.#positions.set(position.source, position)
  }
}
