import type { SeededRandom } from '../../fuzz/seeded-random.ts'
import type { Focus } from '../focus.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { ProcessDied } from '../world/sim-failure.ts'
import { consume, deleteRecords, findByTime } from './consume.ts'
import { makeMembers } from './group-members.ts'
import { commitOffset, fetchAnyOffset } from './groups.ts'
import { IdempotentProducer } from './idempotent-producer.ts'
import { clientOf } from './kafka-client.ts'
import { producePlain } from './produce.ts'
import type { Session } from './session.ts'
import { ShareGroups } from './share-groups.ts'
import { addPartitions, changeConfig, createTopic, deleteTopic } from './topics.ts'
import { Transactions } from './transactions.ts'

type Step = (session: Session) => void

const MAX_OPEN_REQUESTS = 20
const MAX_PRODUCERS = 6

/** What clients do, whatever becomes of the broker. */
export class Workload {
  readonly transactions: Transactions
  readonly shareGroups: ShareGroups
  readonly #members: ReturnType<typeof makeMembers>
  readonly #random: SeededRandom
  readonly #ledger: Ledger
  /** Clients do something in one turn of so many. */
  readonly #pauseRate: number
  #producers: IdempotentProducer[] = []
  /** By how often they happen. */
  readonly #steps: readonly (readonly [number, Step])[]

  constructor(random: SeededRandom, ledger: Ledger, focus: Focus) {
    this.#random = random
    const isDevoted = focus.sharesGroups === true
    this.transactions = new Transactions(random.oneIn(2) && !isDevoted)
    this.#members = random.oneIn(2) && !isDevoted ? makeMembers() : []
    this.shareGroups = new ShareGroups(random.oneIn(3) || isDevoted)
    this.#pauseRate = isDevoted ? 20 : 2
    this.#steps = [
      [30, producePlain],
      [50, (session) => this.#produce(session)],
      [5, (session) => this.#newProducer(session)],
      [5, (session) => this.#resend(session)],
      [12, consume],
      [8, (session) => this.transactions.consume(session)],
      [4, deleteRecords],
      [4, findByTime],
      [15, commitOffset],
      [5, fetchAnyOffset],
      [focus.deletesTopics ? 20 : 6, (session) => createTopic(session, focus.compacts)],
      [focus.deletesTopics ? 15 : 1, deleteTopic],
      [1, addPartitions],
      [3, changeConfig],
      [5, (session) => session.machine.clock.pass(session.random.int(1000))],
      [2, (session) => this.#fillDisk(session)],
    ]
    this.#ledger = ledger
  }

  /** The broker is there again. */
  begin(session: Session): void {
    session.machine.disk.capacityBytes = Number.POSITIVE_INFINITY
    const client = clientOf(session)
    this.transactions.begin(session, client)
    this.shareGroups.begin(session, client)
    for (const member of this.#members) member.begin(session, client)
    this.#producers = this.#producers.filter((one) => one.targetOf(session) && !one.isDone)
    for (const producer of this.#producers) producer.disconnected()
    for (const producer of this.#producers) {
      const target = producer.targetOf(session)
      if (target !== undefined) producer.resend(session, target)
    }
  }

  /** Some clients do something, then the broker has its turn. */
  async turn(session: Session): Promise<void> {
    const { machine } = session
    if (session.openCount < MAX_OPEN_REQUESTS && this.#random.oneIn(this.#pauseRate))
      this.#pick()(session)
    await machine.turn()
    if (!machine.isRunning) throw new ProcessDied()
    this.transactions.look(session)
    for (const { partition, ledger } of session.targets()) {
      ledger.highWatermarkSeen(partition.log.highWatermark)
      ledger.logStartSeen(partition.log.logStartOffset)
    }
  }

  #pick(): Step {
    const total = this.#steps.reduce((sum, [weight]) => sum + weight, 0)
    let left = this.#random.int(total)
    for (const [weight, step] of this.#steps) {
      if (left < weight) return step
      left -= weight
    }
    return producePlain
  }

  #produce(session: Session): void {
    if (this.#producers.length > 0) this.#random.pick(this.#producers).run(session)
  }

  #resend(session: Session): void {
    if (this.#producers.length === 0) return
    const producer = this.#random.pick(this.#producers)
    const target = producer.targetOf(session)
    if (target !== undefined) producer.resend(session, target)
  }

  #newProducer(session: Session): void {
    const targets = session.targets()
    if (targets.length === 0 || this.#producers.length >= MAX_PRODUCERS) return
    const target = this.#random.pick(targets)
    session.answered(
      session.core.producerIds.next(),
      (producerId) => {
        this.#ledger.producerIdGiven(producerId)
        this.#producers.push(new IdempotentProducer(target, producerId))
      },
      () => undefined,
    )
  }

  /** The disk has little room for a while. */
  #fillDisk({ machine, random }: Session): void {
    if (!machine.faults.runsFull || !machine.areFaultsOn) return
    const { disk } = machine
    if (disk.capacityBytes < Number.POSITIVE_INFINITY) disk.capacityBytes = Number.POSITIVE_INFINITY
    else disk.capacityBytes = disk.usedBytes() + random.int(3000)
    machine.trace(() => `the disk has ${disk.freeBytes()} bytes free`)
  }
}
