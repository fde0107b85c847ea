import type { AckVerb } from '../../../../../src/broker/jetstream/consumer/acknowledgement.ts'
import { Consumer } from '../../../../../src/broker/jetstream/consumer/consumer.ts'
import type { ConsumerConfig } from '../../../../../src/broker/jetstream/consumer/consumer-config.ts'
import { ONE_MESSAGE } from '../../../../../src/broker/jetstream/consumer/pull-request.ts'
import { type Command, milliseconds } from '../../../support/scenario-script.ts'
import { ConsumerFixture, configOf } from './consumer-fixture.ts'

const NANOSECONDS_A_MS = 1_000_000

/** Words of `consumer`, as the fields they set. */
const FIELDS: Readonly<Record<string, keyof ConsumerConfig>> = {
  deliver: 'deliver_policy',
  start: 'opt_start_seq',
  'start-time': 'opt_start_time',
  ack: 'ack_policy',
  wait: 'ack_wait',
  deliveries: 'max_deliver',
  backoff: 'backoff',
  filter: 'filter_subjects',
  'max-pending': 'max_ack_pending',
  'max-waiting': 'max_waiting',
  'max-batch': 'max_batch',
  'max-expires': 'max_expires',
  'max-bytes': 'max_bytes',
  to: 'deliver_subject',
  heartbeat: 'idle_heartbeat',
  inactive: 'inactive_threshold',
  policy: 'priority_policy',
  groups: 'priority_groups',
  timeout: 'priority_timeout',
  replay: 'replay_policy',
  rate: 'rate_limit_bps',
  sample: 'sample_freq',
}
const DURATIONS = new Set(['wait', 'backoff', 'max-expires', 'heartbeat', 'inactive', 'timeout'])
const LISTS = new Set(['backoff', 'filter', 'groups'])
const TEXTS = new Set([
  'deliver',
  'start-time',
  'ack',
  'to',
  'policy',
  'replay',
  'sample',
  'filter',
])

type Verb = (command: Command) => void | Promise<void>

/** Commands of a script against the consumers of one stream: publishers, clients, time, restarts. */
export class ConsumerScenario {
  readonly #fixture = new ConsumerFixture()
  #lines: string[] = []
  #shownAdvisories = 0

  readonly #verbs: Readonly<Record<string, Verb>> = {
    publish: ({ plain }) => {
      for (const word of plain) this.#publish(word)
    },
    remove: ({ plain: [first = '', last = first] }) =>
      this.#fixture.reader.remove(Number(first), Number(last)),
    stream: ({ named }) => {
      const retention = named.get('retention') as 'limits' | 'workqueue' | 'interest'
      const maxConsumers = Number(named.get('max-consumers') ?? -1)
      this.#fixture.streamFacts = { ...this.#fixture.streamFacts, retention, maxConsumers }
    },
    consumer: (command) => this.#create(command),
    delete: async ({ plain: [name = ''] }) => {
      const refusal = await this.#fixture.consumers.remove(name)
      if (refusal !== null) this.#say(`refused ${refusal.err_code} ${refusal.description}`)
    },
    pull: (command) => this.#pull(command),
    ack: (command) => this.#acknowledge(command, { kind: 'ack' }),
    nak: (command) => {
      const delayMs = milliseconds(command.named.get('delay') ?? '0')
      this.#acknowledge(command, { kind: 'nak', delayMs })
    },
    progress: (command) => this.#acknowledge(command, { kind: 'progress' }),
    term: (command) => this.#acknowledge(command, { kind: 'term', reason: 'unusable' }),
    'flow-answer': ({ plain: [subject = ''] }) => this.#consumer().flowAnswered(subject, null),
    listen: ({ plain: [subject = ''] }) => this.#fixture.listen(subject, true),
    leave: ({ plain: [subject = ''] }) => this.#fixture.listen(subject, false),
    wait: ({ plain: [time = ''] }) => this.#fixture.advance(milliseconds(time)),
    pause: async ({ plain: [time = ''] }) => {
      const until = new Date(this.#fixture.clock.nowMs() + milliseconds(time)).toISOString()
      await this.#fixture.consumers.pause('c', until)
    },
    unpin: ({ plain: [group = ''] }) => this.#consumer().unpin(group, 'admin'),
    reset: ({ plain: [sequence = ''] }) => this.#consumer().reset(Number(sequence)),
    restart: () => this.#fixture.restart(false),
    kill: () => this.#fixture.restart(true),
    'disk-fails': () => {
      this.#fixture.store.isBroken = true
    },
    'disk-works': () => {
      this.#fixture.store.isBroken = false
    },
    show: () => this.#show(),
  }

  async run(command: Command): Promise<string[]> {
    this.#lines = []
    const verb = this.#verbs[command.verb]
    if (verb === undefined) throw new Error(`no command ${command.verb}`)
    await verb(command)
    this.#fixture.scheduler.finishTurn()
    this.#tell()
    return this.#lines
  }

  /** @param word a subject, with `*n` for n messages and `:bytes` for their size */
  #publish(word: string): void {
    const [, subject = '', size = '0', times = '1'] =
      /^([^*:]+)(?::(\d+))?(?:\*(\d+))?$/.exec(word) ?? []
    for (let i = 0; i < Number(times); i++) {
      this.#fixture.reader.publish(subject, 'x'.repeat(Number(size)))
    }
  }

  async #create({ plain, named }: Command): Promise<void> {
    const fields: Record<string, unknown> = { durable_name: 'c' }
    if (plain.includes('ephemeral')) delete fields['durable_name']
    if (plain.includes('flow-control')) fields['flow_control'] = true
    if (plain.includes('headers-only')) fields['headers_only'] = true
    if (plain.includes('memory')) fields['mem_storage'] = true
    const durable = named.get('name')
    if (durable !== undefined) fields['durable_name'] = durable
    for (const [word, value] of named) {
      const field = FIELDS[word]
      if (field !== undefined) fields[field] = fieldValue(word, value)
    }
    const action = (named.get('action') ?? '') as '' | 'create' | 'update'
    const isPedantic = plain.includes('pedantic')
    const created = await this.#fixture.consumers.create({
      config: configOf(fields as Partial<ConsumerConfig>),
      action,
      isPedantic,
    })
    if (created instanceof Consumer) return
    this.#say(`refused ${created.err_code} ${created.description}`)
  }

  #pull({ plain: [reply = '', ...words], named }: Command): void {
    const number = (name: string): number => Number(named.get(name) ?? 0)
    const nanoseconds = (name: string): number =>
      milliseconds(named.get(name) ?? '0') * NANOSECONDS_A_MS
    this.#consumer(named.get('name')).pull(reply, {
      ...ONE_MESSAGE,
      batch: Number(named.get('batch') ?? 1),
      expires: nanoseconds('expires'),
      maxBytes: number('bytes'),
      noWait: words.includes('no-wait'),
      idleHeartbeat: nanoseconds('heartbeat'),
      group: named.get('group') ?? '',
      minPending: number('min-pending'),
      minAckPending: number('min-ack-pending'),
      id: named.get('id') ?? '',
      priority: number('priority'),
    })
  }

  #acknowledge({ plain, named }: Command, verb: AckVerb): void {
    for (const word of plain) {
      const streamSequence = Number(word)
      const last = this.#fixture.delivered.findLast(
        ({ outgoing }) => outgoing.message.sequence === streamSequence,
      )
      const { consumerSequence = streamSequence, deliveryCount: deliveries = 1 } =
        last?.outgoing ?? {}
      const done = named.has('told') ? () => this.#say(`told: ${word} is done`) : null
      const ack = { verb, streamSequence, consumerSequence, deliveries }
      this.#consumer(named.get('name')).acknowledge(ack, done)
    }
  }

  #show(): void {
    const consumers = this.#fixture.consumers.all()
    if (consumers.length === 0) this.#say('no consumers')
    for (const consumer of consumers) {
      const info = consumer.info()
      const { delivered, ackFloor } = info
      this.#say(
        `${consumer.name}: delivered ${delivered.consumer}/${delivered.stream}, ` +
          `floor ${ackFloor.consumer}/${ackFloor.stream}, ${info.ackPendingCount} unacknowledged, ` +
          `${info.redeliveredCount} again, ${info.pendingCount} to come, ${info.waitingCount} waiting` +
          `${info.isBound ? ', bound' : ''}${info.pauseRemainingMs > 0 ? ', paused' : ''}`,
      )
    }
  }

  #consumer(name = 'c'): Consumer {
    const consumer = this.#fixture.consumers.get(name) ?? this.#fixture.consumers.all()[0]
    if (consumer === undefined) throw new Error(`no consumer ${name}`)
    return consumer
  }

  #tell(): void {
    const { delivered, statuses, advisories } = this.#fixture
    for (const { to, outgoing } of delivered.slice(this.#told)) {
      const { message, deliveryCount, consumerSequence, pendingCount, pinId } = outgoing
      const again = deliveryCount > 1 ? ` x${deliveryCount}` : ''
      const pin = pinId === '' ? '' : ` pin ${pinId}`
      this.#say(
        `${to} gets ${message.sequence} ${message.subject}${again} ` +
          `as ${consumerSequence}, ${pendingCount} to come${pin}`,
      )
    }
    this.#told = delivered.length
    for (const { to, status } of statuses.splice(0)) {
      const headers = Object.entries(status.headers ?? {}).map(
        ([name, value]) => ` ${name}=${value}`,
      )
      const reply = status.reply === undefined ? '' : ` answer to ${status.reply}`
      this.#say(`${to} is told ${status.code} ${status.description}${headers.join('')}${reply}`)
    }
    for (const advisory of advisories.slice(this.#shownAdvisories)) {
      const { kind, stream: _, consumer: _name, ...rest } = advisory
      const facts = Object.entries(rest).map(([name, value]) => ` ${name}=${value}`)
      this.#say(`advisory ${kind}${facts.join('')}`)
    }
    this.#shownAdvisories = advisories.length
  }

  #told = 0

  #say(line: string): void {
    this.#lines.push(line)
  }
}

function fieldValue(word: string, value: string): unknown {
  const one = (part: string): unknown => {
    if (DURATIONS.has(word)) return milliseconds(part) * NANOSECONDS_A_MS
    return TEXTS.has(word) || word === 'groups' ? part : Number(part)
  }
  return LISTS.has(word) ? value.split(',').map(one) : one(value)
}
