import type { ConfiguredBroker, ProducedBatch } from './configured-broker.ts'

export const HOUR_MS = 3_600_000
export const KEY = Buffer.from('key')

/** How many segments an action adds. */
export async function rolls(
  broker: ConfiguredBroker,
  action: () => Promise<unknown>,
): Promise<number> {
  const before = new Set(broker.segments)
  await action()
  return broker.segments.filter((base) => !before.has(base)).length
}

export async function produceTimes(
  broker: ConfiguredBroker,
  count: number,
  batch: ProducedBatch = {},
) {
  for (let i = 0; i < count; i++) await broker.produce(batch)
}

/** Two records that lie 20 s apart. */
export async function produceApart(
  broker: ConfiguredBroker,
  batch: ProducedBatch = {},
): Promise<void> {
  await broker.produce(batch)
  await broker.advance(20_000)
  await broker.produce(batch)
}

export const errorOf = async (broker: ConfiguredBroker, batch: ProducedBatch) =>
  (await broker.produce(batch)).errorCode

export async function syncs(
  broker: ConfiguredBroker,
  action: () => Promise<unknown>,
): Promise<number> {
  const before = broker.syncCount
  await action()
  return broker.syncCount - before
}

export async function isEmptied(broker: ConfiguredBroker, afterMs: number): Promise<boolean> {
  await broker.produce({ key: KEY })
  await broker.advance(afterMs)
  return broker.log.logStartOffset === broker.log.logEndOffset
}
