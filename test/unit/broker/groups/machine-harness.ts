import type { EncodedRecord } from '../../../../src/broker/coordinator/coordinator-log.ts'
import type { Reply, Turn } from '../../../../src/broker/coordinator/coordinator-turn.ts'
import type { GroupConfig } from '../../../../src/broker/groups/group-config.ts'
import { GroupCoordinatorShard } from '../../../../src/broker/groups/group-coordinator-shard.ts'
import type { GroupTimerEvent, GroupTopics } from '../../../../src/broker/groups/group-step.ts'

/** The state machine alone: what it decides is written down, and time is a number. */
export class MachineHarness {
  readonly shard: GroupCoordinatorShard
  readonly records: EncodedRecord[] = []
  readonly timers = new Map<string, { readonly atMs: number; readonly event: GroupTimerEvent }>()
  nowMs = 1_700_000_000_000
  #uuidCount = 0

  constructor(config: GroupConfig, topics?: () => GroupTopics) {
    this.shard = new GroupCoordinatorShard(() => config, topics)
    this.shard.loaded(this.turn())
  }

  turn(): Turn<GroupTimerEvent> {
    return {
      nowMs: this.nowMs,
      append: (record) => void this.records.push(record),
      appendMarker: () => {},
      reply: (to, value) => to.answer(value),
      schedule: (name, delayMs, event) => {
        this.timers.set(name, { atMs: this.nowMs + delayMs, event })
      },
      cancel: (name) => void this.timers.delete(name),
      uuid: () => `uuid-${++this.#uuidCount}`,
    }
  }

  advance(byMs: number): void {
    const endMs = this.nowMs + byMs
    for (;;) {
      const due = [...this.timers].filter(([, { atMs }]) => atMs <= endMs)
      due.sort(([, a], [, b]) => a.atMs - b.atMs)
      const [next] = due
      if (next === undefined) break
      const [name, { atMs, event }] = next
      this.timers.delete(name)
      this.nowMs = atMs
      this.shard.timerFired(event, this.turn())
    }
    this.nowMs = endMs
  }

  reply<T>(answer: (value: T) => void = () => {}): Reply<T> {
    return { answer, refuse: () => {} }
  }
}
