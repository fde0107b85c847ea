import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectSocket } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { connect, wsconnect } from '@nats-io/transport-node'
import { WebSocket } from 'ws'
import { cleanUp, endOf, newDirectory, spawnSpool } from './spool-process.ts'

let nats = ''
let http = ''
let child: ReturnType<typeof spawnSpool>

before(async () => {
  const addresses = ['--kafka', '127.0.0.1:0', '--nats', '127.0.0.1:0', '--http', '127.0.0.1:0']
  child = spawnSpool(['serve', '--data-dir', newDirectory(), ...addresses])
  let output = ''
  for await (const chunk of child.stdout ?? []) {
    output += String(chunk)
    if (/^ready/m.test(output)) break
  }
  nats = /\bnats (\S+)/.exec(output)?.[1] ?? ''
  http = /\bhttp (\S+)/.exec(output)?.[1] ?? ''
})

after(cleanUp)

/** What the first frame says, or the status of a refusal. */
async function greeting(path: string, headers: Record<string, string> = {}): Promise<string> {
  const socket = new WebSocket(`ws://${http}${path}`, { headers })
  try {
    return await new Promise((resolve, reject) => {
      socket.once('message', (data: Buffer) => resolve(data.toString('latin1')))
      socket.once('unexpected-response', (_request, { statusCode }) => resolve(`${statusCode}`))
      socket.once('error', reject)
    })
  } finally {
    socket.terminate()
  }
}

describe('NATS on the HTTP port', () => {
  it('reaches those who came to the NATS port, and is reached by them', async () => {
    const page = await wsconnect({ servers: `ws://${http}`, reconnect: false })
    const program = await connect({ servers: nats, reconnect: false })
    const answers = program.subscribe('ask')
    await program.flush()
    void (async () => {
      for await (const message of answers) message.respond(message.data)
    })()
    const payload = new Uint8Array(300_000).fill(7)
    const answer = await page.request('ask', payload, { timeout: 10_000 })
    assert.deepEqual(answer.data, payload)
    assert.equal(page.info?.port, Number(http.split(':')[1]))
    await Promise.all([page.close(), program.close()])
  })

  it('is at / and at /nats, and nowhere else', async () => {
    for (const path of ['/', '/nats', '/nats/', '/?a=b']) {
      assert.match(await greeting(path), /^INFO \{/, path)
    }
    assert.equal(await greeting('/livez'), '200')
    assert.equal(await greeting('/other'), '404')
  })

  it('leaves HTTP as it was, also for who offers to go on in HTTP/2', async () => {
    const headers = { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c' }
    const [host, port] = http.split(':')
    const socket = connectSocket(Number(port), host)
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    socket.end(`GET /livez HTTP/1.1\r\nhost: ${http}\r\n${lines.join('')}\r\n`)
    let text = ''
    for await (const chunk of socket) text += String(chunk)
    assert.match(text, /^HTTP\/1\.1 200 OK/)
  })

  it('is for pages of this very port only, by a name of this machine', async () => {
    const port = http.split(':')[1]
    const pages = [
      { origin: `http://${http}`, isIn: true },
      { origin: `http://localhost:${port}`, host: `localhost:${port}`, isIn: true },
      { origin: 'http://evil.example', isIn: false },
      { origin: `http://127.0.0.1:1`, isIn: false },
      { origin: 'null', isIn: false },
      // Its name was pointed to this machine after it was loaded.
      { origin: `http://evil.example:${port}`, host: `evil.example:${port}`, isIn: false },
    ]
    for (const { isIn, ...headers } of pages) {
      assert.match(await greeting('/', headers), isIn ? /^INFO/ : /^401$/, JSON.stringify(headers))
    }
  })

  it('closes a connection that breaks the rules of frames, and goes on', async () => {
    const mask = { mask: false }
    const broken: ((socket: WebSocket) => void)[] = [
      (socket) => socket.send(Buffer.from('PING\r\n'), mask),
      (socket) => socket.send(Buffer.alloc(17 * 1024 * 1024)),
      (socket) => socket.send('NONSENSE\r\n'),
    ]
    for (const send of broken) {
      const socket = new WebSocket(`ws://${http}`)
      socket.on('error', () => undefined)
      await once(socket, 'message')
      send(socket)
      await once(socket, 'close')
    }
    assert.match(await greeting('/'), /^INFO/)
  })

  it('ends with the broker', async () => {
    const page = await wsconnect({ servers: `ws://${http}`, reconnect: false })
    const ended = endOf(child)
    child.kill('SIGTERM')
    await page.closed()
    assert.equal(await ended, 0)
  })
})
