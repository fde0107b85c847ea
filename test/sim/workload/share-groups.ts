import { ErrorCode } from '../../../src/base/error-code.ts'
import { StorageError } from '../../../src/base/errors.ts'
import { buildBatch } from '../../../src/records/batch-builder.ts'
import { recordsOf } from '../../../src/records/records-iterator.ts'
import { produceApi } from '../../../src/wire/kafka/messages/00-produce.ts'
import { incrementalAlterConfigsApi } from '../../../src/wire/kafka/messages/44-incremental-alter-configs.ts'
import { DEAD_LETTER_TOPIC, SHARE_TOPIC, ShareLedger } from '../ledger/share-ledger.ts'
import { SimFailure } from '../world/sim-failure.ts'
import { clientOf, type KafkaClient } from './kafka-client.ts'
import { PoisonedLease } from './poisoned-lease.ts'
import { batchesOf, readSlice } from './read-log.ts'
import type { Session } from './session.ts'
import { ShareMember } from './share-member.ts'

const GROUP_ID = 'sharers'
const MEMBER_IDS = ['first', 'second', 'third'] as const
const GROUP_RESOURCE = 32
const READ_BYTES = 100_000
/** So that a last member gets through what is left. */
const MAX_RECORDS = 200
/** Of the event loop, until a last member has got through. */
const MAX_TURNS = 30_000

/** A share group, through all lives of the broker, and who fills its topic. */
export class ShareGroups {
  readonly ledger = new ShareLedger()
  /** Whether the seed has them. */
  readonly #isOn: boolean
  #isConfigured = false
  #hasDeadLetters = false
  #batchCount = 0

  constructor(isOn: boolean) {
    this.#isOn = isOn
  }

  /** The broker is there again. */
  begin(session: Session, client: KafkaClient): void {
    if (!this.#isIn(session)) return
    this.ledger.isStrict = session.machine.faults.name === 'crashes'
    this.ledger.lifeBegan(MEMBER_IDS.length)
    this.#live(session, client).catch((error: Error) => session.machine.fail(error))
  }

  /** Lets a member on a good disk take all that is left, and looks at each record. */
  async settle(session: Session): Promise<void> {
    const { core, machine } = session
    if (!this.#isIn(session) || core.registry.topic(SHARE_TOPIC) === undefined) return
    const client = clientOf(session)
    this.ledger.lifeBegan(1)
    await machine.until(this.#setUp(session, client))
    const last = this.#member(session, client, 'last', true)
    last.start()
    for (let turns = 0; !(await this.#isOver(session, last)); turns++) {
      if (turns > MAX_TURNS) throw new SimFailure('a share group never gets through')
      await machine.until(machine.turn())
    }
    this.ledger.checkNothingSkipped()
    if (this.#hasDeadLetters) this.ledger.checkDeadLetters(await deadLetters(session))
  }

  /** Base offsets have no CRC, and a share group trusts those that are read. */
  #isIn({ machine }: Session): boolean {
    return this.#isOn && !machine.faults.flipsBits
  }

  async #live(session: Session, client: KafkaClient): Promise<void> {
    await this.#setUp(session, client)
    for (const memberId of MEMBER_IDS) this.#member(session, client, memberId, false).start()
    while (this.ledger.producedCount < MAX_RECORDS) {
      await this.#produce(session, client)
      if (session.random.oneIn(25)) this.#deleteRecords(session)
      await pause(session, 60)
    }
  }

  #member(session: Session, client: KafkaClient, memberId: string, isLast: boolean): ShareMember {
    const topicId = session.core.registry.topic(SHARE_TOPIC)?.topicId ?? ''
    const { ledger } = this
    const groupId = GROUP_ID
    return new ShareMember({ session, client, ledger, groupId, memberId, topicId, isLast })
  }

  /** The group has read all: nothing is between its start and the end that is not finished. */
  async #isOver({ core, machine }: Session, last: ShareMember): Promise<boolean> {
    if (!last.isIdle) return false
    last.isIdle = false
    const asked = [{ topicName: SHARE_TOPIC, partitions: [0] }]
    const topics = await machine.until(core.shares.groups.describeOffsets(GROUP_ID, asked))
    const lag = typeof topics === 'number' ? topics : topics[0]?.partitions[0]?.lag
    machine.trace(() => `the lag is ${lag}`)
    const isEmpty = core.registry.partition(SHARE_TOPIC, 0)?.log.highWatermark === 0
    return lag === 0 || isEmpty
  }

  async #setUp(session: Session, client: KafkaClient): Promise<void> {
    const { core, random } = session
    for (let tries = 0; core.registry.topic(SHARE_TOPIC) === undefined; tries++) {
      if (tries > 0) await pause(session, 30)
      const topic = { name: SHARE_TOPIC, partitionCount: 1, replicationFactor: 1 }
      await new Promise<void>((resolve) => {
        const wanted = [{ ...topic, assignments: [], configs: [] }]
        session.answered(core.topicAdmin.createTopics(wanted, false), () => resolve(), resolve)
      })
    }
    while (!this.#isConfigured) {
      const deliveryCount = random.pick([2, 3, 5])
      const lockMs = random.pick([1000, 3000])
      this.#hasDeadLetters ||= random.oneIn(2)
      const configs = {
        'share.auto.offset.reset': 'earliest',
        'share.delivery.count.limit': String(deliveryCount),
        ...(this.#hasDeadLetters ? { 'errors.deadletterqueue.topic.name': DEAD_LETTER_TOPIC } : {}),
        'share.record.lock.duration.ms': String(lockMs),
      }
      const changes = Object.entries(configs).map(([name, value]) => ({
        ...{ name, configOperation: 0, value },
      }))
      const resource = { resourceType: GROUP_RESOURCE, resourceName: GROUP_ID, configs: changes }
      const request = { resources: [resource], validateOnly: false }
      const errorCode = await client.ask(incrementalAlterConfigsApi, 1, request).then(
        ({ responses }) => responses[0]?.errorCode,
        (error: unknown) => {
          if (error instanceof StorageError) return ErrorCode.KAFKA_STORAGE_ERROR
          throw error
        },
      )
      session.machine.trace(() => `configs of ${GROUP_ID} are told ${errorCode}`)
      this.ledger.limits = { deliveryCount, lockMs }
      this.#isConfigured = errorCode === ErrorCode.NONE
      if (!this.#isConfigured) await pause(session, 30)
    }
  }

  #deleteRecords(session: Session): void {
    const { core, machine, random } = session
    const { log } = core.registry.partition(SHARE_TOPIC, 0) ?? {}
    if (log === undefined || log.isFailed || log.highWatermark <= log.logStartOffset) return
    const offset = log.logStartOffset + random.int(log.highWatermark - log.logStartOffset)
    machine.trace(() => `delete records of the queue below ${offset}`)
    this.ledger.deleteAsked(offset)
    session.answered(
      log.deleteRecordsBefore(offset),
      () => undefined,
      () => undefined,
    )
  }

  async #produce(session: Session, client: KafkaClient): Promise<void> {
    const { random, machine } = session
    const id = this.#batchCount++
    const values = Array.from({ length: 1 + random.int(6) }, (_, index) => `${id}.${index}`)
    const timestamp = machine.clock.nowMs()
    const records = buildBatch(values.map((value) => ({ timestamp, value: Buffer.from(value) })))
    const lease = new PoisonedLease(records)
    const partitionData = [{ index: 0, records }]
    const topicData = [{ name: SHARE_TOPIC, topicId: '', partitionData }]
    const request = { transactionalId: null, acks: -1, timeoutMs: 30_000, topicData }
    const answer = await client.ask(produceApi, 11, request, { lease })
    lease.release()
    const [told] = answer.responses[0]?.partitionResponses ?? []
    machine.trace(() => `${values} at ${told?.baseOffset} of the queue: ${told?.errorCode}`)
    if (told?.errorCode === ErrorCode.NONE) this.ledger.produced(told.baseOffset, values)
  }
}

function pause({ random, machine }: Session, atMostMs: number): Promise<void> {
  const delayMs = 1 + random.int(atMostMs)
  return new Promise<void>((resolve) => void machine.scheduler.after(delayMs, resolve))
}

/** The offsets of the queue that are in the dead-letter topic. */
async function deadLetters({ core, machine }: Session): Promise<Set<number>> {
  const found = new Set<number>()
  const { log } = core.registry.partition(DEAD_LETTER_TOPIC, 0) ?? {}
  for (let offset = 0; log !== undefined && offset < log.highWatermark; ) {
    const batches = batchesOf(await machine.until(readSlice(log, offset, READ_BYTES)))
    if (batches === null || batches.length === 0) throw new SimFailure('dead letters are illegible')
    for (const { bytes, lastOffset } of batches) {
      for (const { headers } of recordsOf(bytes, 0)) {
        const header = headers.find(({ key }) => key === '__dlq.errors.offset')
        found.add(Number(header?.value))
      }
      offset = lastOffset + 1
    }
  }
  return found
}
