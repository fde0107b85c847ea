import { setImmediate } from 'node:timers/promises'
import { errorName } from '../../../../src/base/error-code.ts'
import type { StateBatch } from '../../../../src/broker/delivery/delivery-state.ts'
import { ShareCoordinator } from '../../../../src/broker/share/coordinator/share-coordinator.ts'
import { DEFAULT_SHARE_COORDINATOR_CONFIG } from '../../../../src/broker/share/coordinator/share-coordinator-config.ts'
import type { SharePartitionKey } from '../../../../src/broker/share/coordinator/share-partition-key.ts'
import type { ShareOutcome } from '../../../../src/broker/share/coordinator/share-state.ts'
import { decodeShareRecord } from '../../../../src/records/internal/share-records.ts'
import { ManualScheduler } from '../../support/manual-scheduler.ts'
import { CountingRandom, FakeClock, SILENT } from '../../support/ports.ts'
import { type Command, milliseconds } from '../../support/scenario-script.ts'
import { type LoggedRecord, MemoryCoordinatorLog } from '../groups/memory-coordinator-log.ts'

type Verb = (command: Command) => void

/** Commands of a script against a share coordinator: answers as they come, then durable records. */
export class ShareCoordinatorScenario {
  readonly #clock = new FakeClock()
  readonly #scheduler = new ManualScheduler(this.#clock)
  readonly #log = new MemoryCoordinatorLog()
  #config = DEFAULT_SHARE_COORDINATOR_CONFIG
  readonly #topics = new Map<string, number>([['topic', 2]])
  #coordinator = this.#start()
  #lines: string[] = []
  #shownRecordCount = 0

  readonly #verbs: Readonly<Record<string, Verb>> = {
    initialize: ({ plain: [key = ''], named }) => {
      const epoch = Number(named.get('epoch') ?? 0)
      const start = Number(named.get('start') ?? -1)
      this.#show('initialize', this.#coordinator.initializeState(keyOf(key), epoch, start))
    },
    read: ({ plain: [key = ''], named }) => {
      const leader = Number(named.get('leader') ?? 0)
      this.#show('read', this.#coordinator.readState(keyOf(key), leader))
    },
    write: ({ plain: [key = '', ...batches], named }) => {
      const number = (name: string): number => Number(named.get(name) ?? 0)
      const write = {
        stateEpoch: number('epoch'),
        leaderEpoch: number('leader'),
        startOffset: number('start'),
        deliveryCompleteCount: number('complete'),
        stateBatches: batches.map(batchOf),
      }
      this.#show('write', this.#coordinator.writeState(keyOf(key), write))
    },
    delete: ({ plain: [key = ''] }) =>
      this.#show('delete', this.#coordinator.deleteState(keyOf(key))),
    summary: ({ plain: [key = ''] }) =>
      this.#show('summary', this.#coordinator.readSummary(keyOf(key))),
    'delete-topic': ({ plain: [name = ''] }) => {
      this.#topics.delete(name)
      this.#coordinator.metadataChanged([{ kind: 'topicDeleted', name, topicId: idOf(name) }])
    },
    config: ({ named }) => {
      const changed = [...named].map(([name, value]) => [name, milliseconds(value)])
      this.#config = { ...this.#config, ...Object.fromEntries(changed) }
    },
    restart: () => {
      this.#coordinator.close()
      this.#coordinator = this.#start()
    },
    'disk-slow': () => {
      this.#log.isSlow = true
    },
    'disk-catches-up': () => this.#log.flush(),
    'disk-fails': () => {
      this.#log.fail()
      this.#log.isSlow = false
    },
    wait: () => {},
  }

  #start(): ShareCoordinator {
    const coordinator = new ShareCoordinator({
      clock: this.#clock,
      scheduler: this.#scheduler,
      random: new CountingRandom(),
      logger: SILENT,
      topics: {
        ensure: () => 'ready',
        partitionCount: () => 1,
        plannedPartitionCount: () => 1,
        partition: () => undefined,
      },
      config: () => this.#config,
      metadata: () => ({
        topicsById: new Map(
          [...this.#topics].map(([name, count]) => [
            idOf(name),
            {
              name,
              topicId: idOf(name),
              partitions: Array.from({ length: count }, partitionImage),
            },
          ]),
        ),
      }),
      openLog: () => this.#log,
      endOffset: () => this.#log.durable.length,
    })
    coordinator.start()
    return coordinator
  }

  async run(command: Command): Promise<string[]> {
    this.#lines = []
    const verb = this.#verbs[command.verb]
    if (verb === undefined) throw new Error(`no command ${command.verb}`)
    verb(command)
    const [time] = command.plain
    if (command.verb === 'wait' && time !== undefined) this.#scheduler.advance(milliseconds(time))
    for (let round = 0; round < 3; round++) {
      this.#scheduler.finishTurn()
      await setImmediate()
    }
    for (const record of this.#log.durable.slice(this.#shownRecordCount)) {
      this.#lines.push(`log ${textOfRecord(record)}`)
    }
    this.#shownRecordCount = this.#log.durable.length
    return this.#lines
  }

  #show(verb: string, answer: Promise<ShareOutcome>): void {
    answer.then(
      ({ errorCode, errorMessage, ...rest }) => {
        const text = errorMessage === null ? '' : ` ${errorMessage}`
        const facts = errorCode === 0 ? textOfFields(rest) : ''
        this.#lines.push(`${verb}: ${errorName(errorCode)}${text}${facts}`)
      },
      (error: unknown) => this.#lines.push(`${verb}: ${error}`),
    )
  }
}

const idOf = (topic: string): string => topic.padEnd(22, 'A')

/** @param text such as `group/topic-0` */
function keyOf(text: string): SharePartitionKey {
  const [groupId = '', rest = ''] = text.split('/')
  const at = rest.indexOf('-')
  return { groupId, topicId: idOf(rest.slice(0, at)), partition: Number(rest.slice(at + 1)) }
}

/** @param text such as `5-9:2x1`: offsets, state and delivery count */
function batchOf(text: string): StateBatch {
  const [, first, last, state, count] = /^(\d+)-(\d+):(\d)x(\d+)$/.exec(text) ?? []
  return {
    firstOffset: Number(first),
    lastOffset: Number(last),
    state: Number(state) as StateBatch['state'],
    deliveryCount: Number(count),
  }
}

function textOfFields(fields: object): string {
  return Object.entries(fields)
    .map(([name, value]) => {
      if (!Array.isArray(value)) return ` ${name}=${value}`
      return value
        .map((batch) => {
          const state = batch.state ?? batch.deliveryState
          return ` ${batch.firstOffset}-${batch.lastOffset}:${state}x${batch.deliveryCount}`
        })
        .join('')
    })
    .join('')
}

function textOfRecord({ key, value }: LoggedRecord): string {
  const record = decodeShareRecord(key, value)
  if (record === undefined) return 'unknown'
  const name = `${record.name} ${record.key.groupId}-${record.key.partition}`
  if (record.value === null) return `${name} gone`
  const fields: Record<string, unknown> = { ...record.value }
  for (const hidden of ['createTimestamp', 'writeTimestamp']) delete fields[hidden]
  return `${name}${textOfFields(fields)}`
}

function partitionImage(_: unknown, partition: number) {
  return {
    partition,
    replicas: [1],
    isr: [1],
    leaderId: 1,
    leaderEpoch: 0,
    partitionEpoch: 0,
  }
}
