import { type KeyObject, sign } from 'node:crypto'

const BASE_32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
const PREFIXES = { operator: 0x70, account: 0, user: 0xa0 } as const

/** The public nkey of an Ed25519 key. */
export function publicNkey(kind: keyof typeof PREFIXES, key: KeyObject): string {
  const raw = Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url')
  const checked = Buffer.concat([Buffer.of(PREFIXES[kind]), raw])
  const bytes = Buffer.concat([checked, checksumOf(checked)])
  let bits = ''
  for (const byte of bytes) bits += byte.toString(2).padStart(8, '0')
  return (bits.match(/.{5}/g) ?? []).map((five) => BASE_32[Number.parseInt(five, 2)]).join('')
}

/** CRC-16/XMODEM. */
function checksumOf(bytes: Buffer): Buffer {
  let crc = 0
  for (const byte of bytes) {
    crc ^= byte << 8
    for (let i = 0; i < 8; i++) crc = ((crc << 1) ^ ((crc & 0x8000) === 0 ? 0 : 0x1021)) & 0xffff
  }
  return Buffer.of(crc & 0xff, crc >> 8)
}

/** Claims as a JWT of version 2. */
export function signedClaims(body: object, key: KeyObject): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signed = `${part({ typ: 'JWT', alg: 'ed25519-nkey' })}.${part(body)}`
  return `${signed}.${sign(null, Buffer.from(signed), key).toString('base64url')}`
}
