import { readFileSync } from 'node:fs'

/** See README.md for what the kinds mean. */
export type VectorKind = 'default' | 'random' | 'framed' | 'headers' | 'stable'

export interface Vector {
  readonly name: string
  readonly kind: VectorKind
  readonly version: number
  readonly bytes: Buffer
}

const FILE = new URL('./kafka-4.4.0.txt', import.meta.url)

let byName: Map<string, Vector[]> | undefined

/** The vectors of a message, record or API name, in file order; fails when there are none. */
export function vectorsOf(name: string, ...kinds: readonly VectorKind[]): readonly Vector[] {
  const vectors = allVectors()
    .get(name)
    ?.filter(({ kind }) => kinds.includes(kind))
  if (vectors === undefined || vectors.length === 0)
    throw new Error(`no vectors of ${name} in ${FILE.pathname}`)
  return vectors
}

/** Every name that has messages, to see that none was forgotten. */
export function messageNames(): readonly string[] {
  return [...allVectors()].filter(([, [first]]) => first?.kind === 'default').map(([name]) => name)
}

function allVectors(): ReadonlyMap<string, Vector[]> {
  byName ??= Map.groupBy(readVectors(), ({ name }) => name)
  return byName
}

function readVectors(): Vector[] {
  const lines = readFileSync(FILE, 'utf8').trimEnd().split('\n')
  return lines.map((line) => {
    const [name = '', kind = '', version = '', hex = ''] = line.split(' ')
    const bytes = Buffer.from(hex === '-' ? '' : hex, 'hex')
    return { name, kind: kind as VectorKind, version: Number(version), bytes }
  })
}
