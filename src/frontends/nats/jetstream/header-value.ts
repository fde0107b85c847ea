/**
 * The first value of a header, null when it is not there.
 * @param headers a whole NATS header block
 */
export function headerValue(headers: Buffer, name: string): string | null {
  const start = headers.indexOf(`\r\n${name}:`, 0, 'latin1')
  if (start === -1) return null
  const valueStart = start + name.length + 3
  const end = headers.indexOf('\r\n', valueStart, 'latin1')
  return headers.toString('latin1', valueStart, end === -1 ? headers.byteLength : end).trim()
}
