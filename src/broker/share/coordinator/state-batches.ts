import type { StateBatch } from '../../delivery/delivery-state.ts'

/**
 * Lays new batches over what is known. Where both speak of an offset, more deliveries win, then the
 * later state. Before the start nothing is kept; neighbours that are the same become one.
 * Source: PersisterStateBatchCombiner of Kafka 4.4.
 * @param known in order and without overlaps
 */
export function combineStateBatches(
  known: readonly StateBatch[],
  added: readonly StateBatch[],
  startOffset: number,
): StateBatch[] {
  const combined: StateBatch[] = prune(known, startOffset)
  for (const batch of prune(added, startOffset)) layOver(combined, batch)
  return join(combined)
}

function prune(batches: readonly StateBatch[], startOffset: number): StateBatch[] {
  const kept: StateBatch[] = []
  for (const batch of batches) {
    if (batch.lastOffset < startOffset) continue
    if (batch.firstOffset >= startOffset) kept.push(batch)
    else kept.push({ ...batch, firstOffset: startOffset })
  }
  return kept
}

function layOver(batches: StateBatch[], batch: StateBatch): void {
  const from = firstEndingFrom(batches, batch.firstOffset)
  const pieces: StateBatch[] = []
  let next = batch.firstOffset
  let index = from
  for (; index < batches.length; index++) {
    const known = batches[index] as StateBatch
    if (known.firstOffset > batch.lastOffset) break
    if (known.firstOffset < next) pieces.push({ ...known, lastOffset: next - 1 })
    if (known.firstOffset > next) {
      pieces.push({ ...batch, firstOffset: next, lastOffset: known.firstOffset - 1 })
    }
    const firstOffset = Math.max(next, known.firstOffset)
    const lastOffset = Math.min(batch.lastOffset, known.lastOffset)
    pieces.push({ ...(isStronger(batch, known) ? batch : known), firstOffset, lastOffset })
    if (known.lastOffset > lastOffset) pieces.push({ ...known, firstOffset: lastOffset + 1 })
    next = lastOffset + 1
  }
  if (next <= batch.lastOffset) pieces.push({ ...batch, firstOffset: next })
  batches.splice(from, index - from, ...pieces)
}

function isStronger(a: StateBatch, b: StateBatch): boolean {
  return a.deliveryCount === b.deliveryCount ? a.state > b.state : a.deliveryCount > b.deliveryCount
}

/** Index of the first batch that ends at the offset or later. */
function firstEndingFrom(batches: readonly StateBatch[], offset: number): number {
  let low = 0
  let high = batches.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((batches[middle] as StateBatch).lastOffset < offset) low = middle + 1
    else high = middle
  }
  return low
}

function join(batches: readonly StateBatch[]): StateBatch[] {
  const joined: StateBatch[] = []
  for (const batch of batches) {
    const last = joined.at(-1)
    if (
      last !== undefined &&
      last.lastOffset + 1 === batch.firstOffset &&
      last.state === batch.state &&
      last.deliveryCount === batch.deliveryCount
    ) {
      joined[joined.length - 1] = { ...last, lastOffset: batch.lastOffset }
    } else {
      joined.push(batch)
    }
  }
  return joined
}
