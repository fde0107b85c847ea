import type { Api } from '../../schema/schema.ts'

/** Both ends belong to the range. */
export interface VersionRange {
  readonly minVersion: number
  readonly maxVersion: number
}

const PRODUCE_KEY = 0

/**
 * The versions of an API a broker serves. A last version that Kafka still marks as unstable is
 * left out.
 * @returns undefined when no version is stable
 */
export function servedRange(api: Api): VersionRange | undefined {
  const [minVersion, last] = api.versions
  const maxVersion = api.latestUnstable ? last - 1 : last
  return minVersion <= maxVersion ? { minVersion, maxVersion } : undefined
}

/**
 * The versions of an API to announce in an ApiVersions response: those served, and Produce from 0.
 * Many librdkafka releases silently stop compressing when Produce 0-2 are not announced; Kafka 4
 * announces them too and refuses them when used (KIP-896, KAFKA-18659).
 * @returns undefined when the API must not be announced
 */
export function advertisedRange(api: Api): VersionRange | undefined {
  const served = servedRange(api)
  if (served === undefined || api.key !== PRODUCE_KEY) return served
  return { ...served, minVersion: 0 }
}
