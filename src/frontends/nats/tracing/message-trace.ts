/** Kinds of connections in a trace. Source: CLIENT of nats-server. */
const CLIENT = 0

/** Why somebody who listens did not get a message. Source: msgtrace.go of nats-server. */
export const NotDelivered = {
  noEcho: 'Not delivered because of no echo',
  subscriptionDenies: 'Not delivered because subscription denies this subject',
  subscriptionClosed: 'Not delivered because subscription is closed',
  clientClosed: 'Not delivered because client is closed',
} as const

/** A client, as a trace names it. */
export interface TracedClient {
  readonly cid: number
  readonly name: string
  readonly account: string
}

export interface MessageTraceOptions {
  readonly headers: Readonly<Record<string, readonly string[]>>
  /** Of headers and payload. */
  readonly byteCount: number
  readonly subject: string
  readonly publisher: TracedClient
  readonly isOnly: boolean
  readonly systemAccount: string
  readonly nowMs: () => number
  /** Sends what there is to tell, once. */
  readonly send: (trace: object) => void
}

interface TraceEvent {
  readonly type: string
  ts: string
}

/** The step of a message into a stream, which ends later. */
export interface StreamStep {
  /**
   * @param subject as it is stored; empty: it did not come that far
   * @param error empty: none
   */
  ended(subject: string, hasNoInterest: boolean, error: string): void
}

/** What is told of the way of one message: ADR-41. */
export class MessageTrace {
  /** Nobody gets the message. */
  readonly isOnly: boolean
  readonly systemAccount: string
  readonly #options: MessageTraceOptions
  readonly #events: TraceEvent[] = []
  #error = ''
  #rename: ((subject: string) => string) | null = null
  /** The message is on its way, and so many streams have not said what became of it. */
  #openCount = 1

  constructor(options: MessageTraceOptions) {
    const { publisher, subject } = options
    this.#options = options
    this.isOnly = options.isOnly
    this.systemAccount = options.systemAccount
    const { cid, name, account } = publisher
    this.#add('in', { kind: CLIENT, cid, ...named(name), acc: account, subj: subject })
  }

  /** It came, and goes nowhere. */
  refused(error: string): void {
    this.#error = error
  }

  /** It goes on under another subject. */
  mapped(to: string): void {
    this.#add('sm', { to })
  }

  /** It asks for a service of another account. */
  serviceImported(account: string, from: string, to: string): void {
    this.#add('si', { acc: account, from, to })
  }

  /** It is of a stream that another account imports. */
  streamExported(account: string, to: string): void {
    this.#add('se', { acc: account, to })
  }

  /** Subscriptions that get it while `deliver` runs are named by what `rename` makes of their subjects. */
  renaming(rename: (subject: string) => string, deliver: () => boolean): boolean {
    this.#rename = rename
    const isTaken = deliver()
    this.#rename = null
    return isTaken
  }

  /** @param error why the client did not get it; empty: it did */
  delivered(
    { cid, name, account }: TracedClient,
    subject: string,
    queue: string,
    error: string,
  ): void {
    this.#add('eg', {
      kind: CLIENT,
      cid,
      ...named(name),
      ...(account !== this.#options.publisher.account && { acc: account }),
      sub: this.#rename?.(subject) ?? subject,
      ...(queue !== '' && { queue }),
      ...(error !== '' && { error }),
    })
  }

  /** It came to a stream. The trace waits for what the stream says of it. */
  reachedStream(stream: string): StreamStep {
    const event = this.#add('js', { stream })
    this.#openCount++
    return {
      ended: (subject, hasNoInterest, error) => {
        event.ts = this.#now()
        Object.assign(event, {
          ...(subject !== '' && { subject }),
          ...(hasNoInterest && { nointerest: true }),
          ...(error !== '' && { error }),
        })
        this.ended()
      },
    }
  }

  /** The message is where it can go. */
  ended(): void {
    if (--this.#openCount > 0) return
    const { headers, byteCount, send } = this.#options
    const events: object[] = [...this.#events]
    if (this.#error !== '') events[0] = { ...events[0], error: this.#error }
    send({ request: { header: headers, msgsize: byteCount }, events })
  }

  #add(type: string, facts: object): TraceEvent {
    const event = { type, ts: this.#now(), ...facts }
    this.#events.push(event)
    return event
  }

  #now(): string {
    return new Date(this.#options.nowMs()).toISOString()
  }
}

function named(name: string): { name?: string } {
  return name === '' ? {} : { name }
}
