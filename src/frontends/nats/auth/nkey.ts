import { createPublicKey, verify } from 'node:crypto'

const BASE_32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
const KEY_BYTES = 32
const CHECKSUM_BYTES = 2
const CRC_POLYNOMIAL = 0x1021

/** What a public nkey stands for, by its first byte. Source: strkey.go of nats-io/nkeys. */
const PREFIXES = { operator: 14 << 3, account: 0, user: 20 << 3 } as const
type NkeyKind = keyof typeof PREFIXES

/** The start of every Ed25519 key in DER, as Node takes it. Source: RFC 8410. */
const DER_HEAD = Buffer.from('302a300506032b6570032100', 'hex')

/** @returns the key in a public nkey, or null when it is none of that kind */
function publicKeyOf(nkey: string, kind: NkeyKind): Buffer | null {
  const bytes = fromBase32(nkey)
  if (bytes === null || bytes.byteLength !== 1 + KEY_BYTES + CHECKSUM_BYTES) return null
  const checkedBytes = bytes.byteLength - CHECKSUM_BYTES
  if (crc16(bytes.subarray(0, checkedBytes)) !== bytes.readUInt16LE(checkedBytes)) return null
  return bytes[0] === PREFIXES[kind] ? bytes.subarray(1, checkedBytes) : null
}

/** Whether the owner of the nkey signed `signed`. What is no key or no signature did not. */
export function isSignedBy(
  nkey: string,
  kind: NkeyKind,
  signed: Buffer,
  signature: Buffer,
): boolean {
  const key = publicKeyOf(nkey, kind)
  if (key === null) return false
  const der = { key: Buffer.concat([DER_HEAD, key]), format: 'der', type: 'spki' } as const
  return verify(null, signed, createPublicKey(der), signature)
}

function fromBase32(text: string): Buffer | null {
  const bytes = Buffer.alloc(Math.floor((text.length * 5) / 8))
  let bits = 0
  let bitCount = 0
  let at = 0
  for (const character of text) {
    const digit = BASE_32.indexOf(character)
    if (digit === -1) return null
    bits = ((bits << 5) | digit) & 0xfff
    bitCount += 5
    if (bitCount < 8) continue
    bitCount -= 8
    bytes[at++] = (bits >> bitCount) & 0xff
  }
  return bytes
}

function crc16(bytes: Buffer): number {
  let crc = 0
  for (const byte of bytes) {
    crc ^= byte << 8
    for (let bit = 0; bit < 8; bit++) {
      crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ CRC_POLYNOMIAL
    }
    crc &= 0xffff
  }
  return crc
}
