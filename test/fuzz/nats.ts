import assert from 'node:assert/strict'
import { type FakeClient, MODERN, TestServer } from '../unit/frontends/nats/nats-clients.ts'
import { eventsOf } from '../unit/wire/nats/recording-sink.ts'
import { mutate } from './mutations.ts'
import { SeededRandom } from './seeded-random.ts'

export interface NatsFuzzOptions {
  readonly inputCount: number
  readonly seed: number
  readonly progress?: (doneCount: number) => void
}

export interface NatsFuzzReport {
  /** Connections closed because of what came. */
  closedCount: number
  /** Messages that somebody else got. */
  deliveredCount: number
  errorCount: number
}

const CORPUS: readonly Buffer[] = [
  'PUB foo.bar 5\r\nhello\r\n',
  'PUB foo INBOX.1 0\r\n\r\n',
  'PUB  foo\tINBOX.1  3 \nabc\r\n',
  'HPUB foo r 12 14\r\nNATS/1.0\r\n\r\nhi\r\n',
  'HPUB foo 20 20\r\nNATS/1.0\r\na: b\r\n\r\n\r\n',
  'SUB foo.* 1\r\nSUB > q 2\r\nSUB $SYS.> 3\r\n',
  'UNSUB 1\r\nUNSUB 2 5\r\n',
  'PING\r\nPONG\r\n+OK\r\n',
  'CONNECT {"verbose":true,"echo":false}\r\n',
  'CONNECT {"headers":true,"no_responders":true,"protocol":1}\r\nPING\r\n',
  'SUB in.* 1\r\nPUB nobody in.1 2\r\nhi\r\n',
  `PUB large 3000\r\n${'x'.repeat(3000)}\r\n`,
  `SUB ${'a.'.repeat(1000)}b 1\r\nPUB ${'a.'.repeat(1000)}b 0\r\n\r\n`,
  'PUB huge 1048576\r\n',
  "INFO {}\r\n-ERR 'x'\r\n",
].map((text) => Buffer.from(text, 'latin1'))

/** Inputs for one server. */
const SERVER_INPUTS = 20_000

/**
 * Sends changed operations, in pieces, to a whole front end in memory. Whatever comes, a client that
 * listens to everything gets well-formed messages only, the parser finds the same in any pieces, and
 * nothing of a connection is left behind.
 * @throws AssertionError with the input that did otherwise
 */
export async function fuzzNats(options: NatsFuzzOptions): Promise<NatsFuzzReport> {
  const report = { closedCount: 0, deliveredCount: 0, errorCount: 0 }
  const random = new SeededRandom(options.seed)
  for (let done = 0; done < options.inputCount; ) {
    const count = Math.min(SERVER_INPUTS, options.inputCount - done)
    await fuzzServer(count, random, report)
    done += count
    options.progress?.(done)
  }
  return report
}

async function fuzzServer(
  count: number,
  random: SeededRandom,
  report: NatsFuzzReport,
): Promise<void> {
  const server = await TestServer.start({ maxSubscriptions: 100, maxPayloadBytes: 100_000 })
  const witness = server.connect(MODERN)
  witness.send('SUB > 1\r\n')
  let client = server.connect(MODERN)
  for (let i = 0; i < count; i++) {
    const input = inputOf(random)
    const chunks = piecesOf(input, random)
    try {
      for (const chunk of chunks) client.send(chunk.toString('latin1'))
      report.errorCount += wellFormedCount(client.readRaw(), '-ERR ')
      report.deliveredCount += wellFormedCount(witness.readRaw(), 'MSG ')
      assert.deepEqual(eventsOf(chunks), eventsOf([input]))
    } catch (error) {
      throw new Error(`the input was ${JSON.stringify(input.toString('latin1'))}`, { cause: error })
    }
    if (client.isClosed) report.closedCount++
    else if (!random.oneIn(50)) continue
    client = reconnected(server, client)
  }
  client.destroy()
  assert.equal(server.meter.read('nats_subscriptions'), 1)
  assert.equal(server.meter.read('nats_connections'), 1)
  await server.frontend.stop(0)
}

/** The next client; of the one before only the witness is left. */
function reconnected(server: TestServer, client: FakeClient): FakeClient {
  client.destroy()
  assert.equal(server.meter.read('nats_subscriptions'), 1)
  return server.connect(MODERN)
}

function inputOf(random: SeededRandom): Buffer {
  const other = (): Buffer => random.pick(CORPUS)
  const bytes = Buffer.concat(Array.from({ length: random.int(3) + 1 }, other))
  return random.oneIn(10) ? bytes : mutate(bytes, random, other)
}

function piecesOf(bytes: Buffer, random: SeededRandom): Buffer[] {
  const pieces: Buffer[] = []
  for (let at = 0; at < bytes.byteLength; ) {
    const byteCount = random.oneIn(2) ? bytes.byteLength : random.int(20) + 1
    pieces.push(bytes.subarray(at, at + byteCount))
    at += byteCount
  }
  return pieces
}

const MESSAGE = /(H?)MSG ([^ \t\r\n]+) ([^ \t\r\n]+) (?:([^ \t\r\n]+) )??(?:(\d+) )?(\d+)\r\n/y
const OTHER = /(?:\+OK|PING|PONG|-ERR '[^\r\n]*'|INFO \{[^\r\n]*\})\r\n/y

/** Reads what a client got, as a strict client would; counts what begins with `prefix`. */
function wellFormedCount(text: string, prefix: string): number {
  let count = 0
  for (let at = 0; at < text.length; ) {
    if (text.startsWith(prefix, at) || text.startsWith(`H${prefix}`, at)) count++
    OTHER.lastIndex = at
    if (OTHER.test(text)) {
      at = OTHER.lastIndex
      continue
    }
    MESSAGE.lastIndex = at
    const match = MESSAGE.exec(text)
    assert.ok(match !== null, `no message: ${JSON.stringify(text.slice(at, at + 80))}`)
    const end = MESSAGE.lastIndex + Number(match[6])
    assert.equal(text.slice(end, end + 2), '\r\n', 'a payload ends where it says')
    assert.ok(match[1] === '' || Number(match[5]) <= Number(match[6]), 'headers fit in')
    at = end + 2
  }
  return count
}
