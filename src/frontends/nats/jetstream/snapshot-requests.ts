import type { Consumer } from '../../../broker/jetstream/consumer/consumer.ts'
import { StreamSnapshot } from '../../../broker/jetstream/stream/backup/snapshot.ts'
import type { Stream } from '../../../broker/jetstream/stream/stream.ts'
import {
  invalidJson,
  type StreamRefusal,
  StreamRefusals,
  snapshotFailed,
} from '../../../broker/jetstream/stream/stream-refusal.ts'
import type { Streams } from '../../../broker/jetstream/stream/streams.ts'
import { isPublishable } from '../../../broker/subjects/subject.ts'
import type { Clock } from '../../../ports/clock.ts'
import type { Logger } from '../../../ports/logger.ts'
import type { Random } from '../../../ports/random.ts'
import type { Scheduler } from '../../../ports/scheduler.ts'
import type { ServerPublisher } from '../server-publisher.ts'
import type { ApiRequest, ApiRouter } from './api-router.ts'
import { isoTime } from './consumer-info-json.ts'
import { type Fields, fieldsOf, isEmptyRequest, isRefusal, isTooNew } from './request-body.ts'
import { snapshotParts, snapshotStateJson } from './snapshot-json.ts'
import { SnapshotTransfer } from './snapshot-transfer.ts'
import type { StreamAdvisories } from './stream-advisories.ts'
import { streamConfigJson } from './stream-config-json.ts'

export interface SnapshotRequestsPorts {
  readonly router: ApiRouter
  readonly publisher: ServerPublisher
  readonly advisories: StreamAdvisories
  readonly streams: Streams
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly random: Random
  readonly logger: Logger
  readonly apiLevel: number
  consumersOf(stream: string): readonly Consumer[]
}

interface Wanted {
  readonly deliverSubject: string
  readonly hasConsumers: boolean
  readonly chunkBytes: number
  readonly windowBytes: number
}

const RESPONSE = 'stream_snapshot_response'

/** Source: jsStreamSnapshotRequest and streamSnapshot of nats-server. */
const CHUNK = { usual: 128 * 1024, max: 1024 * 1024 }
const WINDOW = { usual: 8 * 1024 * 1024, max: 32 * 1024 * 1024 }
const MIN_BYTES = 1024

/** Snapshots of one account that are sent at one time; each has up to a window under way. */
const MAX_TRANSFERS = 16

/** Sends copies of streams to who asks for them. */
export class SnapshotRequests {
  readonly #ports: SnapshotRequestsPorts
  #transferCount = 0

  constructor(ports: SnapshotRequestsPorts) {
    this.#ports = ports
    ports.router.on('$JS.API.STREAM.SNAPSHOT.*', (request) => this.#snapshot(request))
  }

  #snapshot(request: ApiRequest): void {
    const { router, streams, logger } = this.#ports
    const stream = streams.get(request.tokens[0] ?? '')
    const wanted = this.#wantedOf(request, stream)
    if ('err_code' in wanted) router.refuse(request, RESPONSE, wanted)
    else if (stream !== undefined) {
      this.#transferCount++
      this.#send(request, stream, wanted)
        .catch((error: unknown) =>
          logger.error('a snapshot failed', { stream: stream.name, error }),
        )
        .finally(() => this.#transferCount--)
    }
  }

  #wantedOf(request: ApiRequest, stream: Stream | undefined): Wanted | StreamRefusal {
    const { payload } = request
    if (isTooNew(request, this.#ports.apiLevel)) return StreamRefusals.apiLevel
    if (isEmptyRequest(payload)) return StreamRefusals.badRequest
    if (stream === undefined) return StreamRefusals.notFound
    const fields = fieldsOf(payload)
    if (isRefusal(fields)) return fields
    const wanted = wantedIn(fields)
    if (typeof wanted === 'string') return invalidJson(wanted)
    if (!isPublishable(wanted.deliverSubject)) return StreamRefusals.snapshotDeliverSubject
    if (this.#transferCount < MAX_TRANSFERS) return wanted
    return snapshotFailed(`${MAX_TRANSFERS} snapshots are sent already, try again later`)
  }

  async #send(request: ApiRequest, stream: Stream, wanted: Wanted): Promise<void> {
    const { router, publisher, advisories, scheduler, clock, random, consumersOf } = this.#ports
    const startMs = clock.nowMs()
    const consumers = wanted.hasConsumers ? consumersOf(stream.name) : []
    const state = snapshotStateJson(stream, consumers.length)
    const snapshot = new StreamSnapshot(stream, snapshotParts(state, consumers, startMs), startMs)
    router.answer(
      request,
      RESPONSE,
      { config: streamConfigJson(stream.config, {}), state },
      'latin1',
    )
    advisories.copied(stream.name, 'snapshot', 'create', { state })
    const id = random.uuid().replaceAll('-', '')
    const transfer = new SnapshotTransfer({
      ...wanted,
      ...{ router, publisher, scheduler, snapshot },
      ackSubject: `$JS.SNAPSHOT.ACK.${stream.name}.${id}`,
    })
    const problem = await transfer.run()
    advisories.copied(stream.name, 'snapshot', 'complete', {
      start: isoTime(startMs),
      end: isoTime(clock.nowMs()),
      ...(problem !== null && { error: problem }),
    })
  }
}

/** What a request asks for, or why it can't be read. */
function wantedIn(fields: Fields): Wanted | string {
  const {
    deliver_subject: deliverSubject = '',
    no_consumers: hasNone = false,
    chunk_size: chunk = 0,
    window_size: window = 0,
  } = fields
  if (typeof deliverSubject !== 'string') return 'deliver_subject is no text'
  if (typeof hasNone !== 'boolean') return 'no_consumers is neither true nor false'
  if (!Number.isSafeInteger(chunk)) return 'chunk_size is no whole number'
  if (!Number.isSafeInteger(window)) return 'window_size is no whole number'
  const chunkBytes = clamped(chunk as number, CHUNK)
  const windowBytes = Math.max(clamped(window as number, WINDOW), chunkBytes)
  return { deliverSubject, hasConsumers: !hasNone, chunkBytes, windowBytes }
}

function clamped(value: number, { usual, max }: typeof CHUNK): number {
  return value === 0 ? usual : Math.min(Math.max(value, MIN_BYTES), max)
}
