import type { Status } from '../../../broker/jetstream/consumer/status.ts'

const LINE = 'NATS/1.0'

/** A status as the header block of a message without a payload. */
export function statusHeaders({ code, description, headers = {} }: Status): Buffer {
  let text = description === '' ? `${LINE} ${code}\r\n` : `${LINE} ${code} ${description}\r\n`
  for (const [name, value] of Object.entries(headers)) text += `${name}: ${value}\r\n`
  return Buffer.from(`${text}\r\n`, 'latin1')
}

/** A header block with one more header at its end. @param headers null: there were none */
export function withHeader(headers: Buffer | null, name: string, value: string | number): Buffer {
  const added = Buffer.from(`${name}: ${value}\r\n\r\n`, 'latin1')
  // Clients send an empty block where they have no headers.
  if (headers === null || headers.byteLength === 0) {
    return Buffer.concat([Buffer.from(`${LINE}\r\n`, 'latin1'), added])
  }
  return Buffer.concat([headers.subarray(0, headers.byteLength - 2), added])
}
