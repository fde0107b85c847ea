import type { StreamSnapshot } from '../../../broker/jetstream/stream/backup/snapshot.ts'
import type { Scheduler } from '../../../ports/scheduler.ts'
import type { ServerPublisher } from '../server-publisher.ts'
import type { ApiRouter } from './api-router.ts'

export interface SnapshotTransferOptions {
  readonly router: ApiRouter
  readonly publisher: ServerPublisher
  readonly scheduler: Scheduler
  readonly snapshot: Pick<StreamSnapshot, 'read'>
  readonly deliverSubject: string
  /** A message to it, with more tokens behind, acknowledges a chunk. */
  readonly ackSubject: string
  readonly chunkBytes: number
  readonly windowBytes: number
}

/** Whoever asked may subscribe a little later. */
const INTEREST_WAIT_MS = 2000
/** Source: defaultSnapshotAckTimeout of nats-server. */
const ACK_WAIT_MS = 5000

const NO_PAYLOAD = Buffer.alloc(0)

/**
 * Sends a snapshot in chunks to who asked for it, so many ahead of the acks as fit into the window. Ends
 * when that is done, or nobody listens, or no acks come. Source: streamSnapshot of nats-server.
 */
export class SnapshotTransfer {
  readonly #options: SnapshotTransferOptions
  readonly #maxOpenCount: number
  #openCount = 0
  #wake: (() => void) | null = null

  constructor(options: SnapshotTransferOptions) {
    this.#options = options
    this.#maxOpenCount = Math.max(1, Math.floor(options.windowBytes / options.chunkBytes))
  }

  /** @returns null, or why it ended early */
  async run(): Promise<string | null> {
    const { router, publisher, deliverSubject, ackSubject } = this.#options
    const acks = router.on(`${ackSubject}.>`, () => {
      if (this.#openCount > 0) this.#openCount--
      this.#wake?.()
    })
    const interest = publisher.watchInterest(deliverSubject, () => this.#wake?.())
    try {
      // Clients hear of it on an inbox that a wildcard of theirs passes: that is not the one who reads.
      if (!publisher.isSubscribed(deliverSubject)) await this.#somethingNew(INTEREST_WAIT_MS)
      return await this.#send()
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      return this.#end(reason, `500 ${reason.replace(/[\r\n]+/g, ' ')}`)
    } finally {
      acks.stop()
      interest.stop()
    }
  }

  async #send(): Promise<string | null> {
    const { publisher, scheduler, snapshot, deliverSubject, ackSubject, chunkBytes } = this.#options
    for (let index = 1; ; index++) {
      const isAcked = await this.#slot()
      if (!publisher.hasInterest(deliverSubject)) return this.#end('no interest', '408 No Interest')
      if (!isAcked) return this.#end('no flow response', '408 No Flow Response')
      const chunk = await snapshot.read(chunkBytes)
      const isLast = chunk.byteLength < chunkBytes
      const reply = isLast ? null : `${ackSubject}.${chunk.byteLength}.${index}`
      if (chunk.byteLength > 0) publisher.publish(deliverSubject, reply, null, chunk)
      if (isLast) return this.#end(null, index === 1 ? '' : '204')
      this.#openCount++
      // Others have their turn between the chunks.
      await new Promise<void>((resolve) => scheduler.endOfTurn(resolve))
    }
  }

  /** Waits for room in the window; false: too long, with no ack at all. */
  async #slot(): Promise<boolean> {
    const { publisher, deliverSubject } = this.#options
    while (this.#openCount >= this.#maxOpenCount && publisher.hasInterest(deliverSubject)) {
      if (!(await this.#somethingNew(ACK_WAIT_MS))) return false
    }
    return true
  }

  /** @returns whether an ack came, or interest changed, before so long */
  #somethingNew(delayMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (isNew: boolean): void => {
        this.#wake = null
        timer.cancel()
        resolve(isNew)
      }
      const timer = this.#options.scheduler.after(delayMs, () => settle(false))
      this.#wake = () => settle(true)
    })
  }

  /** @param status of the empty message that ends it; empty: none */
  #end(problem: string | null, status: string): string | null {
    const { publisher, deliverSubject } = this.#options
    const headers = status === '' ? null : Buffer.from(`NATS/1.0 ${status}\r\n\r\n`, 'latin1')
    publisher.publish(deliverSubject, null, headers, NO_PAYLOAD)
    return problem
  }
}
