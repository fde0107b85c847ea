/** The thread that compacts logs, see WorkerSegmentCleaner. It does one thing at a time, blocking. */
import { constants, setPriority } from 'node:os'
import { parentPort } from 'node:worker_threads'
import { NodeFileSystem } from '../adapters/node-file-system.ts'
import { SystemClock } from '../adapters/system-clock.ts'
import { discardCleaned } from '../storage/cleaner/cleaned-segment-writer.ts'
import { CleaningRound, type Steps } from '../storage/cleaner/cleaning-round.ts'
import { Throttle } from '../storage/cleaner/throttle.ts'
import type { CleanerAnswer, CleanerCall } from './cleaner-messages.ts'

const fs = new NodeFileSystem()
const throttle = new Throttle(new SystemClock())
const neverWoken = new Int32Array(new SharedArrayBuffer(4))
let round: CleaningRound | null = null
let maxBytesPerSecond = Number.POSITIVE_INFINITY

beNice()
parentPort?.on('message', (call: CleanerCall) => parentPort?.postMessage(answer(call)))

function answer(call: CleanerCall): CleanerAnswer {
  try {
    return { value: handle(call) }
  } catch (error) {
    const { message, cause } = error as Error
    const code = (cause as { code?: unknown } | undefined)?.code
    return { error: { message, code: typeof code === 'string' ? code : null } }
  }
}

function handle(call: CleanerCall): unknown {
  switch (call.kind) {
    case 'survey':
      maxBytesPerSecond = call.request.limits.maxBytesPerSecond
      round = new CleaningRound(fs, call.request)
      return run(round.survey())
    case 'clean':
      if (round === null) throw new Error('a survey comes before the cleaning')
      return run(round.clean(call.request))
    case 'discard':
      return discardCleaned(fs, call.directory, call.baseOffset)
    case 'write':
      return fs.writeFileAtomic(call.path, call.content)
  }
}

function run<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
    const delayMs = throttle.delayMs(step.value, maxBytesPerSecond)
    if (delayMs > 0) Atomics.wait(neverWoken, 0, 0, delayMs)
  }
}

/** Linux gives a priority to each thread: who serves requests comes first. */
function beNice(): void {
  if (process.platform !== 'linux') return
  try {
    setPriority(constants.priority.PRIORITY_BELOW_NORMAL)
  } catch {
    // A container may forbid it; then it works all the same.
  }
}
