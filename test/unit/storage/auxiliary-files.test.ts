import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { StorageError } from '../../../src/base/errors.ts'
import type { PartitionLog } from '../../../src/ports/partition-log.ts'
import { buildEndTxnMarker, ControlRecordType } from '../../../src/records/control-batch.ts'
import {
  decodeProducerSnapshot,
  encodeProducerSnapshot,
} from '../../../src/records/internal/producer-snapshot.ts'
import { append, batchOf, Harness, offsetsOf, readSlice } from './log-harness.ts'

const CONFIG = { segmentBytes: 2000, indexIntervalBytes: 150 }
const STOPS = ['a clean stop', 'kill -9'] as const
type Stop = (typeof STOPS)[number]

/** How the file is found at the next start. */
const STATES = [
  'missing',
  'empty',
  'garbage',
  'garbage of whole entries',
  'older',
  'of a longer log',
] as const
type State = (typeof STATES)[number]

/** 408 bytes are whole entries of every index. */
const garbage = (byteCount: number) =>
  Buffer.from(Array.from({ length: byteCount }, (_, i) => (i * 151 + 0x7b) & 0xff))

interface Auxiliary {
  readonly name: string
  /** Relative to the data directory. */
  readonly path: (harness: Harness) => string
  readonly older: (content: Buffer, harness: Harness) => Buffer
  readonly longer: (content: Buffer) => Buffer
  /** What is not as before the stop; an expression is why the log can't be opened. */
  readonly result?: (state: State, stop: Stop, world: World) => RegExp | Partial<Story>
}

interface World {
  readonly harness: Harness
  readonly story: Story
  /** Before DeleteRecords. */
  readonly whole: Story
}

/** Everything a client can learn of a log. */
interface Story {
  readonly logStartOffset: number
  readonly logEndOffset: number
  /** The first batch of a read from each offset. */
  readonly batches: readonly string[]
  readonly offsetsByTime: readonly (number | undefined)[]
  readonly maxTimestampOffset: number | undefined
  readonly aborted: readonly string[]
  readonly producers: string
  readonly epochs: readonly number[]
}

const START_MS = new Harness().clock.timeMs
const LATER_MS = START_MS + 9000
const RECORD_COUNT = 64

/** The records are set aside, not deleted. */
const EMPTY_FROM_5000: Partial<Story> = {
  logStartOffset: 5000,
  logEndOffset: 5000,
  batches: [],
  offsetsByTime: [],
  maxTimestampOffset: undefined,
  aborted: [],
  producers: '[]',
  epochs: [],
}

/** Producer 1 writes, producer 2 aborts a transaction, in each of four leader epochs. */
function write(harness: Harness): PartitionLog {
  const log = harness.open(CONFIG, 't', 0)
  for (let round = 0; round < 4; round++) {
    log.setLeaderEpoch(2 * round + 1)
    for (let i = 0; i < 16; i++) {
      const at = log.logEndOffset
      const time = START_MS + at * 10
      if (i === 15) {
        const marker = { producerId: 2, producerEpoch: round, coordinatorEpoch: 1 }
        append(
          log,
          buildEndTxnMarker({ ...marker, type: ControlRecordType.ABORT, timestamp: time }),
        )
      } else if (i === 10) {
        const options = { producerId: 2, producerEpoch: round, baseSequence: 0 }
        append(log, batchOf(1, { ...options, isTransactional: true }, 10, time))
      } else {
        const sequence = round * 14 + (i > 10 ? i - 1 : i)
        append(
          log,
          batchOf(1, { producerId: 1, producerEpoch: 0, baseSequence: sequence }, 10, time),
        )
      }
      harness.settle()
    }
  }
  assert.equal(log.logEndOffset, RECORD_COUNT)
  return log
}

async function prepare(stop: Stop): Promise<World> {
  const harness = new Harness()
  const log = write(harness)
  const whole = await tell(harness, log)
  await harness.until(log.deleteRecordsBefore(3))
  harness.manager.start()
  harness.scheduler.advance(60_000)
  harness.settle()
  const story = await tell(harness, log)
  if (stop === 'kill -9') harness.kill()
  else await harness.stop()
  return { harness, story, whole }
}

async function tell(harness: Harness, log: PartitionLog): Promise<Story> {
  const batches: string[] = []
  const epochs: number[] = []
  const aborted = new Set<string>()
  for (let offset = log.logStartOffset; offset < log.highWatermark; offset++) {
    const slice = readSlice(harness, log, { offset, maxBytes: 1, includeAborted: true })
    for (const one of slice.abortedTransactions ?? [])
      aborted.add(`${one.producerId} from ${one.firstOffset}`)
    const [first] = offsetsOf(slice)
    batches.push(String(first))
    epochs.push(log.epochForOffset(offset))
  }
  const offsetsByTime: (number | undefined)[] = []
  for (let offset = log.logStartOffset; offset < log.highWatermark; offset++) {
    const time = START_MS + offset * 10 - 5
    const found = await harness.until(log.offsetForTimestamp(time, log.highWatermark))
    offsetsByTime.push(found?.offset)
  }
  const producers = JSON.stringify(
    log.activeProducers().toSorted((a, b) => a.producerId - b.producerId),
  )
  return {
    logStartOffset: log.logStartOffset,
    logEndOffset: log.logEndOffset,
    batches,
    offsetsByTime,
    maxTimestampOffset: (await harness.until(log.maxTimestamp(log.highWatermark)))?.offset,
    aborted: [...aborted],
    producers,
    epochs,
  }
}

function replace(harness: Harness, path: string, content: Buffer | null): void {
  harness.fs.remove(path)
  if (content === null) return
  const handle = harness.fs.open(path, 'create')
  handle.writeNow([content], 0)
  handle.dataSyncNow()
  handle.close()
}

function contentFor(
  state: State,
  file: Auxiliary,
  content: Buffer,
  harness: Harness,
): Buffer | null {
  switch (state) {
    case 'missing':
      return null
    case 'empty':
      return Buffer.alloc(0)
    case 'garbage':
      return garbage(61)
    case 'garbage of whole entries':
      return garbage(408)
    case 'older':
      return file.older(content, harness)
    case 'of a longer log':
      return file.longer(content)
  }
}

const names = (harness: Harness, suffix: string) =>
  harness.fs.list('/data/t-0').filter((name) => name.endsWith(suffix))

const segmentsOf = (harness: Harness) =>
  names(harness, '.log').map((name) => name.slice(0, -'.log'.length))

const closed = (suffix: string) => (harness: Harness) => `t-0/${segmentsOf(harness)[1]}${suffix}`
const active = (suffix: string) => (harness: Harness) =>
  `t-0/${segmentsOf(harness).at(-1)}${suffix}`

const halfOf = (entryBytes: number) => (content: Buffer) =>
  content.subarray(0, Math.floor(content.length / entryBytes / 2) * entryBytes)

const withEntry = (hex: string) => (content: Buffer) =>
  Buffer.concat([content, Buffer.from(hex.replaceAll(' ', ''), 'hex')])

const lineEdit = (edit: (text: string) => string) => (content: Buffer) =>
  Buffer.from(edit(content.toString()))

const INDEX = { older: halfOf(8), longer: withEntry('00ffffff 00fffff0') }
const TIME_INDEX = { older: halfOf(12), longer: withEntry('00000fffffffffff 00ffffff') }
const TXN_INDEX = {
  older: (content: Buffer) => content.subarray(0, Math.max(0, content.length - 34)),
  longer: withEntry('0000 0000000000000002 0000000000fffff0 0000000000fffff5 0000000000fffff6'),
}

const isShort = (state: State) => state === 'missing' || state === 'empty' || state === 'older'

/** Without the aborted transactions that begin at these offsets. */
const without = ({ aborted }: Story, ...firstOffsets: readonly number[]): Partial<Story> => ({
  aborted: aborted.filter((one) => !firstOffsets.some((offset) => one.endsWith(` ${offset}`))),
})

/** DeleteRecords moved the log start to 3; what is left of that is known. */
function forgotten(whole: Story, logStartOffset: number): Partial<Story> {
  const { batches, offsetsByTime, epochs } = whole
  return {
    logStartOffset,
    batches: batches.slice(logStartOffset),
    offsetsByTime: offsetsByTime.slice(logStartOffset),
    // The epochs were cut at the offset 3.
    epochs: epochs.slice(logStartOffset).map((epoch, at) => (logStartOffset + at < 3 ? -1 : epoch)),
  }
}

const FILES: readonly Auxiliary[] = [
  { name: '.index of a closed segment', path: closed('.index'), ...INDEX },
  { name: '.index of the last segment', path: active('.index'), ...INDEX },
  { name: '.timeindex of a closed segment', path: closed('.timeindex'), ...TIME_INDEX },
  { name: '.timeindex of the last segment', path: active('.timeindex'), ...TIME_INDEX },
  {
    name: '.txnindex of a closed segment',
    path: closed('.txnindex'),
    ...TXN_INDEX,
    // Most segments have none, so a missing one is believed.
    result: (state, _, { story }) => {
      if (state === 'older') return without(story, 42)
      return isShort(state) ? without(story, 26, 42) : {}
    },
  },
  {
    name: '.txnindex of the last segment',
    path: active('.txnindex'),
    ...TXN_INDEX,
    result: (state, stop, { story }) =>
      isShort(state) && stop === 'a clean stop' ? without(story, 58) : {},
  },
  {
    name: 'the newest .snapshot',
    path: (harness) => `t-0/${names(harness, '.snapshot').at(-1)}`,
    older: (_, harness) => harness.fs.readFile(`/data/t-0/${names(harness, '.snapshot')[0]}`),
    longer: (content) =>
      encodeProducerSnapshot(
        decodeProducerSnapshot(content).map((entry) => ({ ...entry, lastOffset: 5000 })),
      ),
  },
  {
    name: 'a .snapshot above the end of the log',
    path: () => 't-0/00000000000000000066.snapshot',
    older: () => encodeProducerSnapshot([]),
    longer: () => encodeProducerSnapshot([]),
  },
  {
    name: 'leader-epoch-checkpoint',
    path: () => 't-0/leader-epoch-checkpoint',
    older: lineEdit(() => '0\n1\n1 0\n'),
    longer: lineEdit((text) => text.replace('0\n4\n', '0\n5\n').concat('99 5000\n')),
  },
  {
    name: 'recovery-point-offset-checkpoint',
    path: () => 'recovery-point-offset-checkpoint',
    older: lineEdit(() => '0\n1\nt 0 0\n'),
    longer: lineEdit(() => '0\n1\nt 0 5000\n'),
  },
  {
    name: 'replication-offset-checkpoint',
    path: () => 'replication-offset-checkpoint',
    older: lineEdit(() => '0\n1\nt 0 1\n'),
    longer: lineEdit(() => '0\n1\nt 0 5000\n'),
  },
  {
    name: 'log-start-offset-checkpoint',
    path: () => 'log-start-offset-checkpoint',
    older: lineEdit(() => '0\n1\nt 0 1\n'),
    longer: lineEdit(() => '0\n1\nt 0 5000\n'),
    result: (state, stop, { whole }) => {
      if (state.startsWith('garbage')) return /log-start-offset-checkpoint is damaged in line 1/
      if (state === 'missing' || state === 'empty') return forgotten(whole, 0)
      if (state === 'older') return forgotten(whole, 1)
      if (stop === 'a clean stop') return /ends at offset 64, but .* starts at 5000/
      return EMPTY_FROM_5000
    },
  },
  {
    name: 'partition.metadata',
    path: () => 't-0/partition.metadata',
    older: lineEdit(() => 'version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAbA'),
    longer: lineEdit(() => 'version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAbB'),
    result: (state) =>
      state === 'older' || state === 'of a longer log' ? /belongs to another topic/ : {},
  },
]

async function expectResult(file: Auxiliary, state: State, stop: Stop): Promise<void> {
  const world = await prepare(stop)
  const { harness, story } = world
  const path = `/data/${file.path(harness)}`
  const before = harness.fs.stat(path) === undefined ? Buffer.alloc(0) : harness.fs.readFile(path)
  replace(harness, path, contentFor(state, file, before, harness))
  const expected = file.result?.(state, stop, world) ?? {}
  if (expected instanceof RegExp) {
    const isRefusal = (error: unknown) =>
      error instanceof StorageError && expected.test(error.message)
    assert.throws(() => {
      harness.start()
      harness.open(CONFIG, 't', 8)
    }, isRefusal)
    return
  }
  harness.start()
  const log = harness.open(CONFIG, 't', 8)
  const found = await tell(harness, log)
  assert.deepEqual(found, { ...story, ...expected })
  // It goes on as if nothing had been, and what was made again is believed from now on.
  const next = batchOf(1, { producerId: 1, producerEpoch: 0, baseSequence: 56 }, 10, LATER_MS)
  assert.equal(append(log, next).baseOffset, found.logEndOffset)
  harness.settle()
  const after = await tell(harness, log)
  await harness.stop()
  harness.lines.length = 0
  harness.start()
  assert.deepEqual(await tell(harness, harness.open(CONFIG, 't', 8)), after)
  const loud = harness.lines.filter(({ level }) => level === 'warn' || level === 'error')
  assert.deepEqual(loud, [])
}

for (const file of FILES) {
  describe(file.name, () => {
    for (const state of STATES) {
      for (const stop of STOPS) it(`${state}, after ${stop}`, () => expectResult(file, state, stop))
    }
  })
}
