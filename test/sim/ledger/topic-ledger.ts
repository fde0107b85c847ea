import { PartitionLedger } from './partition-ledger.ts'
import { Register } from './register.ts'

/** Longer than any simulation takes. */
const KEEPS_TOMBSTONES = ['delete.retention.ms', '86400000'] as const

/** What clients know of a topic of one name. It may be made and deleted many times. */
export class TopicLedger {
  readonly name: string
  /** Whether it is there: undefined while that was only asked for. */
  readonly existence = new Register(false)
  /** Of the topic that is there, once it was told. */
  topicId: string | null = null
  partitionCount = new Register(0)
  partitions: PartitionLedger[] = []
  configs = new Map<string, Register<string | undefined>>()
  /** Somebody changes it: one at a time. */
  isBusy = false

  constructor(name: string) {
    this.name = name
  }

  /** Somebody asks for it. */
  creating(partitionCount: number, configs: ReadonlyMap<string, string>): void {
    this.existence.ask(true)
    this.topicId = null
    this.partitionCount = new Register(partitionCount)
    this.configs = new Map([...configs].map(([name, value]) => [name, new Register(value)]))
    const isDurable = configs.get('spool.durability') !== 'os'
    this.partitions = []
    this.isDurable = isDurable
    this.canExpire = canExpire(configs)
    const policies = (configs.get('cleanup.policy') ?? 'delete').split(',')
    this.isCompacted = policies.includes('compact')
    this.keepsTombstones = configs.get(KEEPS_TOMBSTONES[0]) === KEEPS_TOMBSTONES[1]
    this.grow(partitionCount)
  }

  isDurable = true
  canExpire = false
  isCompacted = false
  keepsTombstones = false

  /** It has so many partitions, or may have. */
  grow(partitionCount: number): void {
    for (let index = this.partitions.length; index < partitionCount; index++)
      this.partitions.push(new PartitionLedger(`${this.name}-${index}`, this))
  }

  configAsked(name: string, value: string): void {
    const register = this.configs.get(name) ?? new Register<string | undefined>(undefined)
    this.configs.set(name, register)
    register.ask(value)
    if (name === KEEPS_TOMBSTONES[0] && value !== KEEPS_TOMBSTONES[1])
      for (const partition of this.partitions) partition.keepsTombstones = false
    if (!canExpire(new Map([[name, value]]))) return
    this.canExpire = true
    for (const partition of this.partitions) partition.canExpire = true
  }

  /** It is there and can be used. */
  get isLive(): boolean {
    return this.topicId !== null && this.existence.possible.every((exists) => exists)
  }

  get mayExist(): boolean {
    return this.existence.possible.includes(true)
  }
}

function canExpire(configs: ReadonlyMap<string, string>): boolean {
  return ['retention.ms', 'retention.bytes'].some((name) => (configs.get(name) ?? '-1') !== '-1')
}
