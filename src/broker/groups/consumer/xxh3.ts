/**
 * XXH3, 64 bits, without seed: the hash that Kafka tells changed topics by. Written for inputs that
 * are hashed once per change of a topic; BigInt keeps it short.
 * Source: the XXH3 specification, github.com/Cyan4973/xxHash.
 */
const MASK = 0xffff_ffff_ffff_ffffn
const LOW = 0xffff_ffffn
const PRIME32_1 = 0x9e3779b1n
const PRIME32_2 = 0x85ebca77n
const PRIME32_3 = 0xc2b2ae3dn
const PRIME64_1 = 0x9e3779b185ebca87n
const PRIME64_2 = 0xc2b2ae3d27d4eb4fn
const PRIME64_3 = 0x165667b19e3779f9n
const PRIME64_4 = 0x85ebca77c2b2ae63n
const PRIME64_5 = 0x27d4eb2f165667c5n
const PRIME_MX1 = 0x165667919e3779f9n
const PRIME_MX2 = 0x9fb21c651e98df25n

const SECRET = Buffer.from(
  'b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671f' +
    'cb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a264c' +
    '3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8' +
    'a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364' +
    'eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e' +
    '2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e',
  'hex',
)
const STRIPE_BYTES = 64
const STRIPES_PER_BLOCK = 16
const BLOCK_BYTES = STRIPE_BYTES * STRIPES_PER_BLOCK
const LANES = [0, 1, 2, 3, 4, 5, 6, 7] as const

/** @returns the hash as a signed number of 64 bits, as Java has it */
export function xxh3(input: Buffer): bigint {
  return BigInt.asIntN(64, hash(input))
}

function hash(input: Buffer): bigint {
  const { length } = input
  if (length <= 16) return hashTiny(input)
  if (length <= 128) return hashSmall(input)
  return length <= 240 ? hashMedium(input) : hashLong(input)
}

const secret64 = (at: number): bigint => SECRET.readBigUInt64LE(at)
const secret32 = (at: number): bigint => BigInt(SECRET.readUInt32LE(at))
const multiply = (a: bigint, b: bigint): bigint => (a * b) & MASK
const rotateLeft = (h: bigint, bits: bigint): bigint => ((h << bits) | (h >> (64n - bits))) & MASK

/** The product of 128 bits, its halves folded into one. */
function multiplyFold(a: bigint, b: bigint): bigint {
  const product = a * b
  return (product ^ (product >> 64n)) & MASK
}

function swapBytes(value: bigint): bigint {
  const bytes = Buffer.allocUnsafe(8)
  bytes.writeBigUInt64LE(value)
  return bytes.readBigUInt64BE()
}

function avalanche(value: bigint): bigint {
  const h = multiply(value ^ (value >> 37n), PRIME_MX1)
  return h ^ (h >> 32n)
}

function avalancheOfXxh64(value: bigint): bigint {
  let h = multiply(value ^ (value >> 33n), PRIME64_2)
  h = multiply(h ^ (h >> 29n), PRIME64_3)
  return h ^ (h >> 32n)
}

function hashTiny(input: Buffer): bigint {
  const { length } = input
  if (length === 0) return avalancheOfXxh64(secret64(56) ^ secret64(64))
  if (length <= 3) {
    const first = input.readUInt8(0)
    const middle = input.readUInt8(length >> 1)
    const last = input.readUInt8(length - 1)
    const combined = BigInt(((first << 16) | (middle << 24) | (length << 8) | last) >>> 0)
    return avalancheOfXxh64(combined ^ secret32(0) ^ secret32(4))
  }
  if (length <= 8) {
    const high = BigInt(input.readUInt32LE(0))
    const low = BigInt(input.readUInt32LE(length - 4))
    const keyed = ((high << 32n) + low) ^ secret64(8) ^ secret64(16)
    let h = multiply(keyed ^ rotateLeft(keyed, 49n) ^ rotateLeft(keyed, 24n), PRIME_MX2)
    h = multiply(h ^ ((h >> 35n) + BigInt(length)), PRIME_MX2)
    return h ^ (h >> 28n)
  }
  const low = input.readBigUInt64LE(0) ^ secret64(24) ^ secret64(32)
  const high = input.readBigUInt64LE(length - 8) ^ secret64(40) ^ secret64(48)
  return avalanche((BigInt(length) + swapBytes(low) + high + multiplyFold(low, high)) & MASK)
}

function mix16(input: Buffer, at: number, secretAt: number): bigint {
  return multiplyFold(
    input.readBigUInt64LE(at) ^ secret64(secretAt),
    input.readBigUInt64LE(at + 8) ^ secret64(secretAt + 8),
  )
}

function hashSmall(input: Buffer): bigint {
  const { length } = input
  let sum = BigInt(length) * PRIME64_1
  const pairCount = (length + 31) >> 5
  for (let pair = 0; pair < pairCount; pair++) {
    sum += mix16(input, pair * 16, pair * 32)
    sum += mix16(input, length - (pair + 1) * 16, pair * 32 + 16)
  }
  return avalanche(sum & MASK)
}

function hashMedium(input: Buffer): bigint {
  const { length } = input
  let sum = BigInt(length) * PRIME64_1
  for (let round = 0; round < 8; round++) sum += mix16(input, round * 16, round * 16)
  sum = avalanche(sum & MASK)
  for (let round = 8; round < length >> 4; round++) {
    sum += mix16(input, round * 16, (round - 8) * 16 + 3)
  }
  sum += mix16(input, length - 16, 136 - 17)
  return avalanche(sum & MASK)
}

function hashLong(input: Buffer): bigint {
  const { length } = input
  const lanes = [
    ...[PRIME32_3, PRIME64_1, PRIME64_2, PRIME64_3],
    ...[PRIME64_4, PRIME32_2, PRIME64_5, PRIME32_1],
  ]
  const blockCount = Math.floor((length - 1) / BLOCK_BYTES)
  for (let block = 0; block < blockCount; block++) {
    accumulate(lanes, input, block * BLOCK_BYTES, STRIPES_PER_BLOCK)
    scramble(lanes)
  }
  const rest = blockCount * BLOCK_BYTES
  accumulate(lanes, input, rest, Math.floor((length - 1 - rest) / STRIPE_BYTES))
  addStripe(lanes, input, length - STRIPE_BYTES, SECRET.length - STRIPE_BYTES - 7)
  return merge(lanes, BigInt(length) * PRIME64_1)
}

function accumulate(lanes: bigint[], input: Buffer, at: number, stripeCount: number): void {
  for (let stripe = 0; stripe < stripeCount; stripe++) {
    addStripe(lanes, input, at + stripe * STRIPE_BYTES, stripe * 8)
  }
}

function addStripe(lanes: bigint[], input: Buffer, at: number, secretAt: number): void {
  for (const lane of LANES) {
    const data = input.readBigUInt64LE(at + lane * 8)
    const keyed = data ^ secret64(secretAt + lane * 8)
    lanes[lane ^ 1] = ((lanes[lane ^ 1] ?? 0n) + data) & MASK
    lanes[lane] = ((lanes[lane] ?? 0n) + (keyed & LOW) * (keyed >> 32n)) & MASK
  }
}

function scramble(lanes: bigint[]): void {
  for (const lane of LANES) {
    const value = lanes[lane] ?? 0n
    const key = secret64(SECRET.length - STRIPE_BYTES + lane * 8)
    lanes[lane] = multiply(value ^ (value >> 47n) ^ key, PRIME32_1)
  }
}

function merge(lanes: readonly bigint[], start: bigint): bigint {
  let sum = start
  for (let pair = 0; pair < 4; pair++) {
    const first = (lanes[pair * 2] ?? 0n) ^ secret64(11 + pair * 16)
    const second = (lanes[pair * 2 + 1] ?? 0n) ^ secret64(11 + pair * 16 + 8)
    sum += multiplyFold(first, second)
  }
  return avalanche(sum & MASK)
}
