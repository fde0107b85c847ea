import { PerformanceObserver } from 'node:perf_hooks'
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'

/**
 * Enough for the objects of requests under way: smaller, and a collection meets so many that live
 * that it costs several times as much; larger gains nothing.
 */
const ENOUGH_BYTES = 8 * 1024 * 1024

/**
 * V8 lets the space of new objects grow to 32 MB and seldom gives it back. Ends its growth once it
 * has what a broker needs.
 */
export function boundYoungGeneration(): void {
  const observer = new PerformanceObserver(() => {
    if (newSpaceBytes() < ENOUGH_BYTES) return
    setFlagsFromString('--semi-space-growth-factor=1')
    observer.disconnect()
  })
  observer.observe({ entryTypes: ['gc'] })
}

function newSpaceBytes(): number {
  const newSpace = getHeapSpaceStatistics().find((space) => space.space_name === 'new_space')
  return newSpace?.space_size ?? 0
}
