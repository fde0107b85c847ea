import type { AcquiredSpan, OffsetSpan } from './delivery-state.ts'

/** What is left of the spans without the others; both are in the order of their offsets. */
export function withoutSpans(
  spans: readonly AcquiredSpan[],
  others: readonly OffsetSpan[],
): AcquiredSpan[] {
  const left: AcquiredSpan[] = []
  for (const span of spans) {
    let from = span.firstOffset
    for (const { firstOffset, lastOffset } of others) {
      if (lastOffset < from) continue
      if (firstOffset > span.lastOffset) break
      if (firstOffset > from) left.push({ ...span, firstOffset: from, lastOffset: firstOffset - 1 })
      from = lastOffset + 1
    }
    if (from <= span.lastOffset) left.push({ ...span, firstOffset: from })
  }
  return left
}
