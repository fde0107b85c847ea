import type { Scheduler } from '../../ports/scheduler.ts'

/** Runs a task at the end of a later turn of the event loop; 1 is the end of this one. */
export function afterTurns(scheduler: Scheduler, turnCount: number, task: () => void): void {
  if (turnCount <= 1) scheduler.endOfTurn(task)
  else scheduler.endOfTurn(() => afterTurns(scheduler, turnCount - 1, task))
}
