import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { after, it } from 'node:test'
import WebSocket from 'ws'
import { cleanUp, newDirectory, spawnSpool } from './spool-process.ts'

const LIMIT = 3
const PORT = /(kafka|nats|http) 127\.0\.0\.1:(\d+)/g
/** ApiVersions, version 0, without a client id. */
const API_VERSIONS = Buffer.from('0000000a0012000000000001ffff', 'hex')

after(cleanUp)

/** @returns whether the server said something, and did not close */
async function isServed(socket: Socket): Promise<boolean> {
  socket.on('error', () => undefined)
  const word = once(socket, 'data').then(() => true)
  return Promise.race([word, once(socket, 'close').then(() => false)])
}

it('connections of one address count over Kafka, NATS and WebSocket together', async () => {
  const addresses = ['--kafka', '127.0.0.1:0', '--nats', '127.0.0.1:0', '--http', '127.0.0.1:0']
  const limit = ['--set', `max.connections.per.ip=${LIMIT}`]
  const child = spawnSpool(['serve', '--data-dir', newDirectory(), ...addresses, ...limit])
  let output = ''
  for await (const chunk of child.stdout ?? []) {
    output += String(chunk)
    if (/^ready/m.test(output)) break
  }
  const ports = new Map([...output.matchAll(PORT)].map(([, name, port]) => [name, Number(port)]))
  const open = (name: string): Socket => connect(ports.get(name) ?? 0, '127.0.0.1')
  const sockets: Socket[] = []
  try {
    const kafka = open('kafka')
    sockets.push(kafka)
    kafka.write(API_VERSIONS)
    assert.equal(await isServed(kafka), true)
    const served: boolean[] = []
    for (let i = 0; i < LIMIT; i++) {
      const nats = open('nats')
      sockets.push(nats)
      served.push(await isServed(nats))
    }
    assert.deepEqual(served, [true, true, false])
    const page = new WebSocket(`ws://127.0.0.1:${ports.get('http')}/nats`)
    const [error] = (await once(page, 'error')) as [Error]
    assert.match(error.message, /503/)
    // Who leaves makes room, on whichever port.
    kafka.destroy()
    let isTaken = false
    while (!isTaken) {
      const next = open('nats')
      sockets.push(next)
      isTaken = await isServed(next)
    }
  } finally {
    for (const socket of sockets) socket.destroy()
  }
})
