import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { residentBytesOf } from '../process-usage.ts'
import { BENCH_USER, type NatsTarget } from './nats-target.ts'

/** As many at a time as no backlog of a listener refuses. */
const AT_ONCE = 100
/** For the server to end what it does for new connections. */
const SETTLE_MS = 1000

export interface IdleUsage {
  /** Resident memory before the first connection. */
  readonly before: number
  /** What each connection adds. */
  readonly perConnection: number
}

/**
 * Opens connections that say who they are and then nothing, and looks at the server's memory.
 * @throws Error when the server refuses one of them
 */
export async function measureIdle(target: NatsTarget, connectionCount: number): Promise<IdleUsage> {
  const sockets: Socket[] = []
  try {
    // What the first connection makes the server load or compile is not a matter of their number.
    await openMany(target, sockets, 1)
    const before = residentBytesOf(target.pid)
    while (sockets.length <= connectionCount) {
      const count = Math.min(AT_ONCE, connectionCount + 1 - sockets.length)
      await openMany(target, sockets, count)
    }
    await delay(SETTLE_MS)
    const after = residentBytesOf(target.pid)
    return { before, perConnection: (after - before) / connectionCount }
  } finally {
    for (const socket of sockets) socket.destroy()
  }
}

async function openMany(target: NatsTarget, sockets: Socket[], count: number): Promise<void> {
  const opened = Array.from({ length: count }, () => openOne(target.address, sockets))
  await Promise.all(opened)
}

function openOne(address: string, sockets: Socket[]): Promise<void> {
  const [host = '', port = ''] = address.split(':')
  const { user, password: pass } = BENCH_USER
  const options = { verbose: false, pedantic: false, lang: 'bench', version: '1', user, pass }
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), host)
    sockets.push(socket)
    let text = ''
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk
      if (text.includes('PONG\r\n')) resolve()
      // The server may ask now and then whether they still live.
      if (chunk.includes('PING\r\n')) socket.write('PONG\r\n')
      text = text.slice(-64)
    })
    socket.once('error', reject)
    socket.once('close', () => reject(new Error(`${address} closed a connection: ${text}`)))
    socket.write(`CONNECT ${JSON.stringify(options)}\r\nPING\r\n`)
  })
}
