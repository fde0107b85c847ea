import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { wsconnect } from '@nats-io/transport-node'
import { MemoryFileSystem } from '../../src/adapters/memory-file-system.ts'
import { silentLogger } from '../../src/adapters/silent-logger.ts'
import { loadSettings } from '../../src/app/broker-settings.ts'
import { startBroker } from '../../src/app/start-broker.ts'
import { mutate } from './mutations.ts'
import type { NatsFuzzOptions } from './nats.ts'
import { SeededRandom } from './seeded-random.ts'

export interface WebSocketFuzzReport {
  /** Connections that were closed because of what came. */
  closedCount: number
  /** Connections that were not given, as the request was changed. */
  refusedCount: number
}

const TEXT = 1
const BINARY = 2
const CLOSE = 8
const PING = 9
const MASKED = 0x80
const SHORT_BYTES = 125

/** A frame as a client sends it. */
function frame(opcode: number, text: string, isLast = true): Buffer {
  const payload = Buffer.from(text, 'latin1')
  const isShort = payload.byteLength <= SHORT_BYTES
  const head = Buffer.alloc(isShort ? 2 : 4)
  head[0] = opcode | (isLast ? 0x80 : 0)
  head[1] = MASKED | (isShort ? payload.byteLength : 126)
  if (!isShort) head.writeUInt16BE(payload.byteLength, 2)
  // A mask of zeros changes nothing.
  return Buffer.concat([head, Buffer.alloc(4), payload])
}

const FRAMES: readonly Buffer[] = [
  frame(BINARY, 'CONNECT {"verbose":false}\r\nPING\r\n'),
  frame(BINARY, 'SUB a 1\r\nPUB a 5\r\nhello\r\n'),
  frame(TEXT, 'PING\r\n'),
  Buffer.concat([frame(BINARY, 'PUB a 3\r', false), frame(0, '\nabc\r\n')]),
  frame(BINARY, `PUB a 1000\r\n${'x'.repeat(1000)}\r\n`),
  frame(PING, 'are you there'),
  frame(CLOSE, '\x03\xe8'),
]

const REQUEST = Buffer.from(
  'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n' +
    'Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n',
)

/** Inputs between two looks at whether everybody else is served. */
const BATCH_INPUTS = 500
const PARALLEL = 50
const PATIENCE_MS = 5

/**
 * Sends changed frames, behind requests that are changed now and then, to the HTTP port of a whole broker
 * in memory. Whatever comes, others are served, and no connection stays behind.
 * @throws AssertionError when that is not so
 */
export async function fuzzWebSocket(options: NatsFuzzOptions): Promise<WebSocketFuzzReport> {
  const random = new SeededRandom(options.seed)
  const report = { closedCount: 0, refusedCount: 0 }
  const address = '127.0.0.1:0'
  const running = await startBroker({
    settings: loadSettings({
      settings: new Map(),
      dataDir: '/spool',
      ...{ kafka: address, nats: address, http: address, allowAnonymous: false },
    }),
    logger: silentLogger,
    fs: new MemoryFileSystem(),
  })
  try {
    const port = running.http?.port ?? 0
    for (let done = 0; done < options.inputCount; done += BATCH_INPUTS) {
      for (let i = 0; i < BATCH_INPUTS; i += PARALLEL) {
        const inputs = Array.from({ length: PARALLEL }, () => inputOf(random))
        await Promise.all(inputs.map((input) => send(port, input, report)))
      }
      const client = await wsconnect({ servers: `ws://127.0.0.1:${port}`, reconnect: false })
      await client.flush()
      await client.close()
      options.progress?.(done + BATCH_INPUTS)
    }
    while ([...(running.natsServer?.frontend.sessions ?? [])].length > 0) {
      await new Promise(setImmediate)
    }
  } finally {
    await running.stop()
  }
  return report
}

function inputOf(random: SeededRandom): Buffer {
  const other = (): Buffer => random.pick(FRAMES)
  const frames = Buffer.concat(Array.from({ length: random.int(4) + 1 }, other))
  const request = random.oneIn(10) ? mutate(REQUEST, random, () => REQUEST) : REQUEST
  return Buffer.concat([request, random.oneIn(10) ? frames : mutate(frames, random, other)])
}

/** Sends all, and hangs up once the other side has, or has nothing more to say. */
async function send(port: number, input: Buffer, report: WebSocketFuzzReport): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  const closed = once(socket, 'close')
  const answer = firstOf(socket)
  socket.write(input)
  const text = await answer
  if (!text.startsWith('HTTP/1.1 101 ')) report.refusedCount++
  // What is no frame, or no NATS, ends the connection: some wait for more and do not.
  const isClosed = await Promise.race([closed.then(() => true), sleep(PATIENCE_MS, false)])
  if (isClosed) report.closedCount++
  socket.resetAndDestroy()
  await closed
  assert.match(text, /^$|^HTTP\/1\.1 \d{3} /)
}

/** The beginning of the answer; nothing when the connection is closed without one. */
function firstOf(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    const end = (): void => resolve('')
    // Of a request that is cut short nothing comes.
    const timer = setTimeout(end, 50)
    socket.once('close', end)
    socket.once('end', end)
    socket.once('data', (data: Buffer) => {
      clearTimeout(timer)
      resolve(data.toString('latin1'))
    })
  })
}
