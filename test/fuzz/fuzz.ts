import { AnswerCheck } from './answers.ts'
import { Corpus } from './corpus.ts'
import { FuzzBroker, FuzzWorld } from './fuzz-broker.ts'
import { SeededRandom } from './seeded-random.ts'

export interface FuzzOptions {
  readonly frameCount: number
  readonly seed: number
  /** Told after each world. */
  readonly progress?: (report: FuzzReport) => void
}

export interface FuzzReport {
  readonly frameCount: number
  /** Connections that the broker closed. */
  readonly closedCount: number
  readonly answerCount: number
  /** Most topics that a world had. */
  readonly topicCount: number
}

/** Requests leave topics, groups and records; a new world keeps that bounded. */
const WORLD_FRAMES = 10_000

const ROUND_CONNECTIONS = 4
const MAX_CONNECTION_FRAMES = 16

/** On one connection every frame is changed, on another few are. */
const MUTATED_ONE_IN = [1, 2, 16, 100]

/**
 * Sends changed requests through real sessions and handlers to a real broker in memory.
 * @throws Error naming the seed, the round and what was sent, at the first thing that is not an
 *   answer of its schema or a closed connection, that leaves memory behind, or that makes the disk unreadable
 */
export async function fuzz({ frameCount, seed, progress }: FuzzOptions): Promise<FuzzReport> {
  let report: FuzzReport = { frameCount: 0, closedCount: 0, answerCount: 0, topicCount: 0 }
  for (let index = 0; report.frameCount < frameCount; index++) {
    const leftCount = Math.min(WORLD_FRAMES, frameCount - report.frameCount)
    const done = await fuzzWorld(seed + index, leftCount)
    report = {
      frameCount: report.frameCount + done.frameCount,
      closedCount: report.closedCount + done.closedCount,
      answerCount: report.answerCount + done.answerCount,
      topicCount: Math.max(report.topicCount, done.topicCount),
    }
    progress?.(report)
  }
  return report
}

async function fuzzWorld(seed: number, frameCount: number): Promise<FuzzReport> {
  const random = new SeededRandom(seed)
  const world = new FuzzWorld(random)
  let sent: Buffer[] = []
  const report = { frameCount: 0, closedCount: 0, answerCount: 0, topicCount: 0 }
  try {
    const broker = await FuzzBroker.open(world)
    const corpus = new Corpus(broker.apis, random, () => broker.topicIds)
    const answers = new AnswerCheck(broker.apis)
    while (report.frameCount < frameCount) {
      sent = []
      await playRound(world, broker, corpus, sent, answers, report)
      report.frameCount += sent.length
      const left = await broker.leave()
      if (left !== null) throw new Error(`left behind: ${left}`)
      expectNoFailure(world)
    }
    report.topicCount = broker.topicCount
    await broker.close()
    // Whatever was done to it, the disk must open again.
    await (await FuzzBroker.open(world)).close()
    expectNoFailure(world)
  } catch (error) {
    const hex = sent.map((frame) => frame.toString('hex')).join('\n')
    throw new Error(`fuzz --seed ${seed} --frames ${WORLD_FRAMES}: the last round sent\n${hex}`, {
      cause: error,
    })
  }
  return report
}

async function playRound(
  world: FuzzWorld,
  broker: FuzzBroker,
  corpus: Corpus,
  sent: Buffer[],
  answers: AnswerCheck,
  report: { closedCount: number; answerCount: number },
): Promise<void> {
  const { random } = world
  const connections = Array.from({ length: ROUND_CONNECTIONS }, () => {
    const frames: Buffer[] = []
    return { peer: broker.connect(), frames }
  })
  for (const { peer, frames } of connections) {
    if (random.oneIn(4)) peer.readBytes = random.int(16) + 1
    peer.isSlow = random.oneIn(8)
    const mutatedOneIn = random.pick(MUTATED_ONE_IN)
    for (let count = random.int(MAX_CONNECTION_FRAMES) + 1; count > 0; count--) {
      frames.push(corpus.nextFrame(mutatedOneIn))
    }
    sent.push(...frames)
    if (random.oneIn(2)) peer.send(Buffer.concat(frames))
    else for (const frame of frames) peer.send(frame)
  }
  await world.settle()
  world.scheduler.advance(random.pick([0, 5, 50, 1000]))
  await world.settle()
  for (const { peer, frames } of connections) {
    const answered = peer.takeFrames()
    answers.check(Buffer.concat(frames), answered)
    report.answerCount += answered.length
    if (peer.isDestroyed) report.closedCount++
  }
}

function expectNoFailure({ log }: FuzzWorld): void {
  const [first] = log.failures
  if (first !== undefined) throw new Error(first)
}
