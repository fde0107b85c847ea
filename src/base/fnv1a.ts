/** FNV-1a, 32 bits: quick for short texts, computed byte by byte while they are scanned. */
export const FNV_START = 0x811c9dc5 | 0
export const FNV_PRIME = 0x01000193

/** Hash of `bytes[start..end)`. Not for input that somebody chooses, unless `seed` is secret. */
export function fnv1a(bytes: Uint8Array, start: number, end: number, seed = FNV_START): number {
  let hash = seed
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ (bytes[i] as number), FNV_PRIME)
  return hash
}
