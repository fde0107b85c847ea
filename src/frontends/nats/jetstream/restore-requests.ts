import type { StreamFacts } from '../../../broker/jetstream/consumer/consumer-config.ts'
import type { KeptConsumer } from '../../../broker/jetstream/consumer/stream-consumers.ts'
import type { StreamRestore } from '../../../broker/jetstream/stream/backup/restore.ts'
import type { Stream } from '../../../broker/jetstream/stream/stream.ts'
import type { StreamConfig } from '../../../broker/jetstream/stream/stream-config.ts'
import {
  invalidJson,
  restoreFailed,
  type StreamRefusal,
  StreamRefusals,
} from '../../../broker/jetstream/stream/stream-refusal.ts'
import type { Streams } from '../../../broker/jetstream/stream/streams.ts'
import type { Clock } from '../../../ports/clock.ts'
import type { Logger } from '../../../ports/logger.ts'
import type { Random } from '../../../ports/random.ts'
import type { Scheduler, Timer } from '../../../ports/scheduler.ts'
import type { AccountLimits } from '../auth/account-limits.ts'
import type { ServerPublisher } from '../server-publisher.ts'
import type { ApiRequest, ApiRouter } from './api-router.ts'
import { isoTime } from './consumer-info-json.ts'
import type { JetStreamSettings } from './jetstream-settings.ts'
import { fieldsOf, isEmptyRequest, isRefusal, isTooNew } from './request-body.ts'
import { RestoreSession } from './restore-session.ts'
import type { ServerResources } from './server-resources.ts'
import { admissionRefusal, nameRefusal, withDuplicateWindow } from './stream-admission.ts'
import type { StreamAdvisories } from './stream-advisories.ts'
import { isObject, type ParsedStream, parseStream } from './stream-config-json.ts'

export interface RestoreRequestsPorts {
  readonly router: ApiRouter
  readonly publisher: ServerPublisher
  readonly advisories: StreamAdvisories
  readonly streams: Streams
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly random: Random
  readonly logger: Logger
  readonly apiLevel: number
  readonly limits: AccountLimits
  readonly settings: JetStreamSettings
  readonly resources: ServerResources
  factsOf(config: StreamConfig): StreamFacts
  /** The stream comes with these consumers. */
  keepConsumers(stream: string, consumers: readonly KeptConsumer[]): Promise<boolean>
  /** It does not come after all. */
  forgetConsumers(stream: string, consumers: readonly KeptConsumer[]): Promise<void>
  infoJson(stream: Stream): object
}

const RESPONSE = 'stream_restore_response'
/** What the last chunk is answered with, or one that fails. */
const CREATED = 'stream_create_response'
const NO_PAYLOAD = Buffer.alloc(0)

/** Source: processStreamRestore of nats-server. */
const STALLED_MS = 5000
/** Clients send a chunk when the one before it is answered. */
const MAX_CHUNKS = 16
/** Of one account at one time; each holds an entry of its backup. */
const MAX_RESTORES = 16

/** Brings streams back from their backups. */
export class RestoreRequests {
  readonly #ports: RestoreRequestsPorts
  #count = 0

  constructor(ports: RestoreRequestsPorts) {
    this.#ports = ports
    const { router, logger } = ports
    router.on('$JS.API.STREAM.RESTORE.*', (request) => {
      this.#count++
      this.#start(request)
        .catch((error: unknown) =>
          logger.error('a restore failed', { subject: request.subject, error }),
        )
        .finally(() => this.#count--)
    })
  }

  async #start(request: ApiRequest): Promise<void> {
    const { router, streams, random, clock, factsOf, resources } = this.#ports
    const restore = await resources.inTurn(async () => {
      const parsed = this.#parsed(request)
      return 'err_code' in parsed
        ? parsed
        : await streams.startRestore(parsed.wanted, parsed.isPedantic)
    })
    if ('err_code' in restore) {
      router.refuse(request, RESPONSE, restore)
      return
    }
    const { config } = restore
    const id = random.uuid().replaceAll('-', '')
    const deliverSubject = `$JS.SNAPSHOT.RESTORE.${config.name}.${id}`
    const session = new RestoreSession(restore, factsOf(config), clock.nowMs())
    const intake = new ChunkIntake(this.#ports, restore, session, deliverSubject)
    router.answer(request, RESPONSE, { deliver_subject: deliverSubject }, 'latin1')
    await intake.done
  }

  #parsed(request: ApiRequest): ParsedStream | StreamRefusal {
    const { apiLevel, streams, limits, settings, resources } = this.#ports
    const [name = ''] = request.tokens
    if (isTooNew(request, apiLevel)) return StreamRefusals.apiLevel
    if (isEmptyRequest(request.payload)) return StreamRefusals.badRequest
    const fields = fieldsOf(request.payload)
    if (isRefusal(fields)) return fields
    const config = isObject(fields['config']) ? fields['config'] : {}
    const parsed = parseStream({ ...config, name: config['name'] || name })
    if (typeof parsed === 'string') return invalidJson(parsed)
    const refusal = nameRefusal(parsed.wanted, name)
    if (refusal !== null) return refusal
    const present = streams.all().map((stream) => stream.config)
    if (this.#count > MAX_RESTORES) {
      return restoreFailed(`${MAX_RESTORES} are under way already, try again later`)
    }
    return (
      admissionRefusal(parsed.wanted, present, limits, resources) ??
      withDuplicateWindow(parsed, settings.maxDuplicateWindow)
    )
  }
}

/** Takes the chunks of one backup, one after the other, until it is whole, or wrong, or none come. */
class ChunkIntake {
  readonly #ports: RestoreRequestsPorts
  readonly #restore: StreamRestore
  readonly #session: RestoreSession
  readonly #chunks: ApiRequest[] = []
  readonly #subscription: { stop(): void }
  readonly #startMs: number
  #timer: Timer | null = null
  #isBusy = false
  #isOver = false
  #finish: () => void = () => undefined
  readonly done: Promise<void>

  constructor(
    ports: RestoreRequestsPorts,
    restore: StreamRestore,
    session: RestoreSession,
    subject: string,
  ) {
    this.#ports = ports
    this.#restore = restore
    this.#session = session
    this.#startMs = ports.clock.nowMs()
    this.#subscription = ports.router.on(subject, (chunk) => this.#came(chunk))
    this.done = new Promise((resolve) => {
      this.#finish = resolve
    })
    ports.advisories.copied(restore.config.name, 'restore', 'create', {})
    this.#watch()
  }

  #came(chunk: ApiRequest): void {
    if (this.#isOver) return
    this.#chunks.push(chunk)
    if (!this.#isBusy) this.#takeAll().catch((error: unknown) => this.#broken(error))
  }

  async #takeAll(): Promise<void> {
    this.#isBusy = true
    this.#timer?.cancel()
    for (let chunk = this.#chunks.shift(); chunk !== undefined; chunk = this.#chunks.shift()) {
      try {
        if (await this.#take(chunk)) return
      } catch (error) {
        await this.#failed(error instanceof Error ? error.message : String(error), chunk)
        return
      }
    }
    this.#isBusy = false
    this.#watch()
  }

  /** @returns whether that was the last one */
  async #take(chunk: ApiRequest): Promise<boolean> {
    if (chunk.reply === '') throw new Error('each chunk needs a reply subject')
    if (this.#chunks.length >= MAX_CHUNKS) throw new Error('chunks come before others are answered')
    if (chunk.payload.byteLength > 0) {
      await this.#session.take(chunk.payload)
      this.#ports.publisher.publish(chunk.reply, null, null, NO_PAYLOAD)
      return false
    }
    await this.#session.end()
    const { streams, keepConsumers, router, infoJson } = this.#ports
    const { name } = this.#restore.config
    if (!(await keepConsumers(name, this.#session.consumers))) {
      throw new Error('the consumers could not be stored')
    }
    const stream = await streams.finishRestore(this.#restore)
    if ('err_code' in stream) throw new Error(stream.description)
    this.#over()
    router.answer(chunk, CREATED, infoJson(stream), 'latin1')
    return true
  }

  async #failed(reason: string, chunk: ApiRequest | null): Promise<void> {
    const { router, streams } = this.#ports
    this.#over()
    this.#restore.close()
    await this.#ports.forgetConsumers(this.#restore.config.name, this.#session.consumers)
    await streams.abandonRestore(this.#restore)
    if (chunk !== null) router.refuse(chunk, CREATED, restoreFailed(reason))
    this.#finish()
  }

  /** What is left of it could not be removed. */
  #broken(error: unknown): void {
    const stream = this.#restore.config.name
    this.#ports.logger.error('a failed restore leaves something behind', { stream, error })
  }

  #over(): void {
    this.#isOver = true
    this.#chunks.length = 0
    this.#timer?.cancel()
    this.#subscription.stop()
    const { advisories, clock } = this.#ports
    advisories.copied(this.#restore.config.name, 'restore', 'complete', {
      start: isoTime(this.#startMs),
      end: isoTime(clock.nowMs()),
      bytes: this.#session.byteCount,
    })
    this.#finish()
  }

  #watch(): void {
    this.#timer = this.#ports.scheduler.after(STALLED_MS, () => {
      this.#failed('no chunk came for 5 seconds', null).catch((error: unknown) =>
        this.#broken(error),
      )
    })
  }
}
