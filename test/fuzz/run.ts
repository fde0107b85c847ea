/** Run: npm run fuzz -- --help. The same seed sends the same frames. */
import { randomInt } from 'node:crypto'
import { program } from 'commander'
import { positiveInteger, wholeNumber } from '../support/flags.ts'
import { fuzz } from './fuzz.ts'
import { fuzzJetStream } from './jetstream.ts'
import { fuzzNats } from './nats.ts'
import { fuzzWebSocket } from './web-socket.ts'

const MIB = 1024 * 1024

/** More than one world ever needs; a leak of one frame in ten passes it soon. */
const MAX_HEAP_GROWTH_BYTES = 200 * MIB

const {
  frames: frameCount,
  seed,
  nats: isNats,
  jetstream: isJetStream,
  webSocket: isWebSocket,
} = program
  .name('npm run fuzz --')
  .option('--frames <n>', 'how many mutated frames', positiveInteger, 1_000_000)
  .option('--seed <n>', 'of the mutations', wholeNumber, randomInt(0x7fff_ffff))
  .option('--nats', 'operations of NATS, and not frames of Kafka', false)
  .option('--jetstream', 'requests of the JetStream API', false)
  .option('--web-socket', 'frames of WebSocket on the HTTP port', false)
  .parse()
  .opts<{ frames: number; seed: number; nats: boolean; jetstream: boolean; webSocket: boolean }>()

const heapBytes = (): number => process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers
let lowestHeapBytes = Number.POSITIVE_INFINITY
console.log(`fuzz: seed ${seed}, ${frameCount} frames`)
const startMs = performance.now()
const progress = (doneCount: number): void => {
  lowestHeapBytes = Math.min(lowestHeapBytes, heapBytes())
  const rate = Math.round(doneCount / ((performance.now() - startMs) / 1000))
  const heap = Math.round(heapBytes() / MIB)
  if (doneCount % 50_000 < 10_100) {
    console.log(`${doneCount} frames, ${rate} a second, heap ${heap} MiB`)
  }
}
if (isWebSocket) {
  const { closedCount, refusedCount } = await fuzzWebSocket({
    inputCount: frameCount,
    seed,
    progress,
  })
  console.log(`fuzz: ${closedCount} connections closed, ${refusedCount} refused`)
} else if (isJetStream) {
  const { doneCount, refusedCount } = await fuzzJetStream({
    inputCount: frameCount,
    seed,
    progress,
  })
  console.log(`fuzz: ${doneCount} requests done, ${refusedCount} refused`)
} else if (isNats) {
  const report = await fuzzNats({ inputCount: frameCount, seed, progress })
  const { deliveredCount, errorCount, closedCount } = report
  console.log(
    `fuzz: ${deliveredCount} delivered, ${errorCount} errors, ${closedCount} connections closed`,
  )
} else {
  const report = await fuzz({
    frameCount,
    seed,
    progress: (soFar) => progress(soFar.frameCount),
  })
  const { closedCount, answerCount } = report
  console.log(
    `fuzz: ${answerCount} answers, ${closedCount} connections closed, nothing left behind`,
  )
}
if (heapBytes() - lowestHeapBytes > MAX_HEAP_GROWTH_BYTES) {
  console.error(`the heap grew from ${lowestHeapBytes} to ${heapBytes()} bytes`)
  process.exitCode = 1
}
