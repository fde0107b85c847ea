import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { describe, it } from 'node:test'
import { Broker } from '../../../src/index.ts'

/** ApiVersions v0, correlation id 1, no client id. */
const REQUEST = Buffer.from('0000000a 0012 0000 00000001 ffff'.replaceAll(' ', ''), 'hex')

/** Key, first and last version of each API, as the broker announces them. */
async function announced(bootstrap: string): Promise<string[]> {
  const [host, port] = bootstrap.split(':')
  const socket = connect(Number(port), host)
  socket.write(REQUEST)
  const [answer] = (await once(socket, 'data')) as [Buffer]
  socket.destroy()
  const count = answer.readInt32BE(10)
  return Array.from({ length: count }, (_, index) => {
    const at = 14 + index * 6
    return `${answer.readInt16BE(at)} ${answer.readInt16BE(at + 2)}-${answer.readInt16BE(at + 4)}`
  })
}

function documented(): string[] {
  const text = readFileSync(new URL('../../../docs/compatibility.md', import.meta.url), 'utf8')
  return [...text.matchAll(/\| (\d+) \| \w+ \| (\d+-\d+) /g)].map(([, key, versions]) =>
    // Kafka and Spool announce Produce from 0 and serve it from 3.
    key === '0' ? '0 0-13' : `${key} ${versions}`,
  )
}

describe('docs/compatibility.md', () => {
  it('lists the APIs that the broker announces, in the same versions', async () => {
    const broker = await Broker.start()
    try {
      const keyOf = (row: string): number => Number(row.split(' ')[0])
      const byKey = (a: string, b: string): number => keyOf(a) - keyOf(b)
      assert.deepEqual(documented().sort(byKey), (await announced(broker.bootstrap)).sort(byKey))
    } finally {
      await broker.stop()
    }
  })
})
