import type { Clock } from '../../ports/clock.ts'
import type { Scheduler, Timer } from '../../ports/scheduler.ts'

/** Timers can't wait longer. */
const MAX_TIMER_MS = 0x7fffffff

export interface TimePorts {
  readonly clock: Clock
  readonly scheduler: Scheduler
}

/** Runs something at a time of the clock, however far it is; at once if it is past. */
export function atTime(atMs: number, { clock, scheduler }: TimePorts, run: () => void): Timer {
  let timer: Timer | null = null
  const wait = (): void => {
    const leftMs = atMs - clock.nowMs()
    if (leftMs <= 0) run()
    else timer = scheduler.after(Math.min(leftMs, MAX_TIMER_MS), wait)
  }
  wait()
  return { cancel: () => timer?.cancel() }
}
