import { type ErrorCode, errorName } from '../../../../src/base/error-code.ts'
import type { EncodedRecord } from '../../../../src/broker/coordinator/coordinator-log.ts'
import {
  readTransactionRecord,
  transactionRecord,
} from '../../../../src/broker/transactions/transaction-log.ts'
import {
  newTransaction,
  type TopicPartition,
  type TransactionPartitions,
} from '../../../../src/broker/transactions/transaction-metadata.ts'
import type { ProducerIdentityResult } from '../../../../src/broker/transactions/transaction-requests.ts'
import {
  TransactionState,
  transactionStateName,
} from '../../../../src/broker/transactions/transaction-state.ts'
import { ControlRecordType } from '../../../../src/records/control-batch.ts'
import { type Command, milliseconds } from '../../support/scenario-script.ts'
import { TransactionHarness } from './transaction-harness.ts'

interface Producer {
  readonly transactionalId: string
  /** `transaction.version` that it speaks. */
  readonly version: number
  producerId: number
  producerEpoch: number
}

type Verb = (command: Command) => void

/**
 * Commands of a script against a transaction coordinator. What comes of each: answers as they arrive,
 * then the records that became durable and the markers that partitions got.
 */
export class TransactionScenario {
  readonly #harness = new TransactionHarness()
  readonly #producers = new Map<string, Producer>()
  #lines: string[] = []
  #shownRecordCount = 0
  #shownMarkerCount = 0

  readonly #verbs: Readonly<Record<string, Verb>> = {
    init: (command) => this.#init(command),
    add: (command) => this.#add(command),
    verify: (command) => this.#verify(command),
    commit: (command) => this.#end(command, true),
    abort: (command) => this.#end(command, false),
    describe: ({ plain: [id = ''] }) => this.#describe(id),
    list: (command) => this.#list(command),
    config: ({ named }) => {
      const changed = [...named].map(([name, value]) => [name, milliseconds(value)])
      this.#harness.config = { ...this.#harness.config, ...Object.fromEntries(changed) }
    },
    restart: () => this.#harness.restart(),
    found: (command) => this.#found(command),
    'disk-slow': () => {
      this.#harness.log.isSlow = true
    },
    'disk-catches-up': () => {
      this.#harness.log.flush()
      this.#harness.log.isSlow = false
    },
    'disk-fails': () => {
      this.#harness.log.fail()
      this.#harness.log.isSlow = false
    },
    'markers-slow': () => {
      this.#harness.writer.isSlow = true
    },
    'markers-arrive': () => {
      this.#harness.writer.isSlow = false
      this.#harness.writer.arrive()
    },
    'partition-down': ({ plain: [name = ''] }) => {
      this.#harness.writer.refusals.set(name, 56 as ErrorCode)
    },
    'partition-up': ({ plain: [name = ''] }) => void this.#harness.writer.refusals.delete(name),
    'partition-gone': ({ plain: [name = ''] }) => {
      this.#harness.writer.refusals.set(name, 3 as ErrorCode)
    },
    'ids-used-up': () => {
      this.#harness.isBlockUsedUp = true
    },
    'ids-recorded': () => this.#harness.recordBlock(),
    wait: () => {},
  }

  async run(command: Command): Promise<string[]> {
    this.#lines = []
    const verb = this.#verbs[command.verb]
    if (verb === undefined) throw new Error(`no command ${command.verb}`)
    verb(command)
    await this.#harness.settle()
    const [duration] = command.plain
    if (command.verb === 'wait') await this.#harness.advance(milliseconds(duration ?? ''))
    const { log, writer } = this.#harness
    for (const record of log.durable.slice(this.#shownRecordCount)) {
      this.#say(`log ${describeRecord(record)}`)
    }
    for (const { name, marker } of writer.written.slice(this.#shownMarkerCount)) {
      const type = marker.type === ControlRecordType.COMMIT ? 'COMMIT' : 'ABORT'
      const { producerId, producerEpoch } = marker
      this.#say(`marker ${name} ${type} producer=${producerId} epoch=${producerEpoch}`)
    }
    this.#shownRecordCount = log.durable.length
    this.#shownMarkerCount = writer.written.length
    return this.#lines
  }

  #say(line: string): void {
    this.#lines.push(line)
  }

  #producer({ plain: [name = ''], named }: Command): Producer {
    const producer = this.#producers.get(name)
    if (producer === undefined) throw new Error(`${name} never came`)
    return {
      ...producer,
      producerId: Number(named.get('producer') ?? producer.producerId),
      producerEpoch: Number(named.get('epoch') ?? producer.producerEpoch),
    }
  }

  /** `init a id=t`: a new producer; `init a` again: it goes on, if it says `recover`. */
  #init({ plain: [name = '', mode], named }: Command): void {
    const known = this.#producers.get(name)
    const producer: Producer = {
      transactionalId: named.get('id') ?? known?.transactionalId ?? 't',
      version: Number(named.get('version') ?? known?.version ?? 2),
      producerId: Number(named.get('producer') ?? known?.producerId ?? -1),
      producerEpoch: Number(named.get('epoch') ?? known?.producerEpoch ?? -1),
    }
    this.#producers.set(name, producer)
    const { transactionalId, producerId, producerEpoch } = producer
    const expected = mode === 'recover' ? { producerId, producerEpoch } : null
    const timeoutMs = milliseconds(named.get('timeout') ?? '60s')
    void this.#harness.coordinator
      .initProducerId({ transactionalId, timeoutMs, expected })
      .then((result) => this.#became(name, 'init', result))
  }

  /** A transactional id as an earlier life of the coordinator left it in the log. */
  #found({ plain: [transactionalId = '', state = ''], named }: Command): void {
    const producerId = Number(named.get('producer'))
    const made = newTransaction(transactionalId, producerId, 60_000, this.#harness.clock.nowMs())
    const isAborted = state === 'CompleteAbort'
    const transaction = {
      ...made,
      producerEpoch: Number(named.get('epoch')),
      startTimestampMs: this.#harness.clock.nowMs(),
      state: isAborted ? TransactionState.COMPLETE_ABORT : TransactionState.COMPLETE_COMMIT,
    }
    this.#harness.log.durable.push(transactionRecord(transaction, 2))
    this.#harness.restart()
  }

  #add(command: Command): void {
    const { plain } = command
    const { version, ...producer } = this.#producer(command)
    const partitions = plain.slice(1).map(partitionOf)
    const request = { ...producer, partitions, clientTransactionVersion: version }
    this.#harness.coordinator.addPartitions(request, (errorCode) => {
      this.#say(`add ${plain[0]}: ${errorName(errorCode)}`)
    })
  }

  #verify(command: Command): void {
    const [name, ...names] = command.plain
    const request = { ...this.#producer(command), partitions: names.map(partitionOf) }
    this.#harness.coordinator.verifyPartitions(request, (codes) => {
      const texts = codes.map((code, index) => `${names[index]}=${errorName(code)}`)
      this.#say(`verify ${name}: ${texts.join(' ')}`)
    })
  }

  #end(command: Command, isCommit: boolean): void {
    const { version, ...producer } = this.#producer(command)
    const request = { ...producer, isCommit, clientTransactionVersion: version }
    const [name = ''] = command.plain
    void this.#harness.coordinator.endTransaction(request).then((result) => {
      const verb = isCommit ? 'commit' : 'abort'
      // Clients that know no epoch for each transaction are told none.
      if (version >= 2) this.#became(name, verb, result)
      else this.#say(`${verb} ${name}: ${errorName(result.errorCode)}`)
    })
  }

  #became(name: string, verb: string, result: ProducerIdentityResult): void {
    const { errorCode, producerId, producerEpoch } = result
    const producer = this.#producers.get(name)
    const isGiven = producerId !== -1
    if (producer !== undefined && isGiven) Object.assign(producer, { producerId, producerEpoch })
    const text = isGiven ? ` producer=${producerId} epoch=${producerEpoch}` : ''
    this.#say(`${verb} ${name}: ${errorName(errorCode)}${text}`)
  }

  #describe(id: string): void {
    void this.#harness.coordinator.describe(id).then((described) => {
      const { errorCode, state, producerId, producerEpoch, partitions } = described
      const text =
        state === ''
          ? errorName(errorCode)
          : `${state} producer=${producerId} epoch=${producerEpoch}${describePartitions(partitions)}`
      this.#say(`describe ${id}: ${text}`)
    })
  }

  #list({ named }: Command): void {
    const states = named.get('state')
    const producerId = named.get('producer')
    const duration = named.get('longer-than')
    const filter = {
      states: states === undefined ? [] : states.split(','),
      producerIds: producerId === undefined ? [] : [Number(producerId)],
      durationMs: duration === undefined ? -1 : milliseconds(duration),
      matchesId: null,
    }
    void this.#harness.coordinator.list(filter).then(({ errorCode, transactions }) => {
      const texts = transactions.map(({ transactionalId, state }) => ` ${transactionalId}=${state}`)
      this.#say(`list: ${errorName(errorCode)}${texts.join('')}`)
    })
  }
}

function partitionOf(name: string): TopicPartition {
  const at = name.lastIndexOf('-')
  return { topic: name.slice(0, at), partition: Number(name.slice(at + 1)) }
}

function describePartitions(partitions: TransactionPartitions): string {
  const names = [...partitions].flatMap(([topic, indexes]) =>
    [...indexes].map((index) => ` ${topic}-${index}`),
  )
  return names.join('')
}

function describeRecord({ key, value }: EncodedRecord): string {
  const replayed = readTransactionRecord(key, value)
  if (replayed === undefined) return 'unknown'
  const { transactionalId, transaction } = replayed
  if (transaction === null) return `${transactionalId} tombstone`
  const { state, producerId, producerEpoch, partitions, nextProducerId } = transaction
  const next = nextProducerId === -1 ? '' : ` next=${nextProducerId}`
  const identity = `producer=${producerId} epoch=${producerEpoch}${next}`
  const names = describePartitions(partitions)
  return `${transactionalId} ${transactionStateName(state)} ${identity}${names}`
}
