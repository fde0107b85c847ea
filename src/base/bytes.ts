/** Whether `bytes[start..end)` begins with a prefix. A loop: for few bytes it is quicker than a call. */
export function beginsWith(bytes: Buffer, start: number, end: number, prefix: Buffer): boolean {
  const { byteLength } = prefix
  if (end - start < byteLength) return false
  for (let i = 0; i < byteLength; i++) if (bytes[start + i] !== prefix[i]) return false
  return true
}

/** Whether `bytes[start..end)` is what `other` has. */
export function isSameBytes(bytes: Buffer, start: number, end: number, other: Buffer): boolean {
  return end - start === other.byteLength && beginsWith(bytes, start, end, other)
}
