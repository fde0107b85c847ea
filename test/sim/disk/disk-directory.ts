import type { SeededRandom } from '../../fuzz/seeded-random.ts'
import type { DiskFile } from './disk-file.ts'

export type DiskNode = DiskFile | DiskDirectory

/** A change of names: what goes and what comes happen together. */
interface NameChange {
  /** Place among all changes of names on the disk. */
  readonly sequence: number
  readonly removed: string | null
  readonly added: string | null
  readonly node: DiskNode | null
}

/** Which changes of names that nobody synced a power failure leaves. */
export type NameSurvival = (change: { readonly sequence: number }) => boolean

/** A directory as the process sees it, and as it is on the medium. */
export class DiskDirectory {
  readonly entries = new Map<string, DiskNode>()
  readonly #medium = new Map<string, DiskNode>()
  #changes: NameChange[] = []

  get unsyncedCount(): number {
    return this.#changes.length
  }

  add(name: string, node: DiskNode, sequence: number): void {
    this.#change({ sequence, removed: null, added: name, node })
  }

  remove(name: string, sequence: number): void {
    this.#change({ sequence, removed: name, added: null, node: null })
  }

  /** What had the new name is gone; a power failure leaves either name, never none. */
  rename(from: string, to: string, sequence: number): void {
    const node = this.entries.get(from) as DiskNode
    this.#change({ sequence, removed: from, added: to, node })
  }

  sync(): void {
    for (const change of this.#changes) apply(this.#medium, change)
    this.#changes = []
  }

  /** Makes the names what the medium has, and those below. */
  losePower(survives: NameSurvival, random: SeededRandom, pieceBytes: number): void {
    for (const change of this.#changes) if (survives(change)) apply(this.#medium, change)
    this.#changes = []
    this.entries.clear()
    for (const [name, node] of this.#medium) {
      this.entries.set(name, node)
      if (node instanceof DiskDirectory) node.losePower(survives, random, pieceBytes)
      else node.losePower(random, pieceBytes)
    }
  }

  #change(change: NameChange): void {
    apply(this.entries, change)
    this.#changes.push(change)
  }
}

function apply(entries: Map<string, DiskNode>, { removed, added, node }: NameChange): void {
  if (removed !== null) entries.delete(removed)
  if (added !== null && node !== null) entries.set(added, node)
}
