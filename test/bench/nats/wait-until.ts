import { setTimeout as delay } from 'node:timers/promises'

const LIMIT_MS = 30_000
const STEP_MS = 10

/** Asks again and again. @throws Error naming `what` when it has not become true in half a minute */
export async function waitUntil(what: string, isTrue: () => Promise<boolean>): Promise<void> {
  const limit = performance.now() + LIMIT_MS
  while (!(await isTrue())) {
    if (performance.now() > limit) throw new Error(`${what}: not there in ${LIMIT_MS} ms`)
    await delay(STEP_MS)
  }
}
