import type { SeededRandom } from './seeded-random.ts'

type Mutation = (bytes: Buffer, random: SeededRandom, other: () => Buffer) => Buffer

/** Numbers at which lengths, counts and versions go wrong. */
const INTERESTING = [0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fff_ffff, 0x8000_0000]

const placeIn = (bytes: Buffer, random: SeededRandom): number =>
  random.int(Math.max(1, bytes.byteLength))

const MUTATIONS: readonly Mutation[] = [
  function flipBits(bytes, random) {
    const copy = Buffer.from(bytes)
    for (let count = random.int(4) + 1; count > 0 && copy.byteLength > 0; count--) {
      const at = placeIn(copy, random)
      copy.writeUInt8(copy.readUInt8(at) ^ (1 << random.int(8)), at)
    }
    return copy
  },
  function truncate(bytes, random) {
    return bytes.subarray(0, placeIn(bytes, random))
  },
  function lieAboutANumber(bytes, random) {
    const copy = Buffer.from(bytes)
    const size = random.pick([1, 2, 4] as const)
    if (copy.byteLength < size) return copy
    const value = random.pick(INTERESTING) & (size === 4 ? 0xffff_ffff : (1 << (8 * size)) - 1)
    copy.writeUIntBE(value >>> 0, random.int(copy.byteLength - size + 1), size)
    return copy
  },
  function splice(bytes, random, other) {
    const from = other()
    const at = placeIn(bytes, random)
    return Buffer.concat([bytes.subarray(0, at), from.subarray(placeIn(from, random))])
  },
  function insert(bytes, random) {
    const at = placeIn(bytes, random)
    const inserted = Buffer.alloc(random.int(16) + 1, random.int(256))
    return Buffer.concat([bytes.subarray(0, at), inserted, bytes.subarray(at)])
  },
  function remove(bytes, random) {
    const at = placeIn(bytes, random)
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + random.int(16) + 1)])
  },
  function repeat(bytes, random) {
    const at = placeIn(bytes, random)
    const part = bytes.subarray(at, at + random.int(64) + 1)
    return Buffer.concat([bytes.subarray(0, at), part, part, bytes.subarray(at)])
  },
  function noise(_bytes, random) {
    return Buffer.from(Array.from({ length: random.int(64) }, () => random.int(256)))
  },
]

/** One to three changes. The bytes given stay as they are. */
export function mutate(bytes: Buffer, random: SeededRandom, other: () => Buffer): Buffer {
  let mutated = bytes
  for (let count = random.int(3) + 1; count > 0; count--) {
    mutated = random.pick(MUTATIONS)(mutated, random, other)
  }
  return mutated
}
