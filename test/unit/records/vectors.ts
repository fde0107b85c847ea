import { readFileSync } from 'node:fs'

const TEXT = readFileSync(new URL('../../vectors/record-batches.txt', import.meta.url), 'utf8')

/** Record batches made by Kafka's own classes, by name (see RecordBatchVectors.java). */
export const VECTORS: ReadonlyMap<string, Buffer> = new Map(
  TEXT.split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [name = '', hex = ''] = line.split(' ')
      return [name, Buffer.from(hex, 'hex')]
    }),
)

/** A fresh copy of one vector, free to be changed. */
export function vector(name: string): Buffer {
  const bytes = VECTORS.get(name)
  if (bytes === undefined) throw new Error(`no vector ${name} in record-batches.txt`)
  return Buffer.from(bytes)
}

/** The timestamp (ms) that the vectors are made around. */
export const VECTOR_TIME = 1_700_000_000_000
