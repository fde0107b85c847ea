/** What grouping looks at; sizes in bytes. */
export interface SegmentSizes {
  readonly baseOffset: number
  readonly logBytes: number
  readonly offsetIndexBytes: number
  readonly timeIndexBytes: number
}

export interface GroupLimits {
  readonly segmentBytes: number
  readonly segmentIndexBytes: number
  /** Where the first segment that is not cleaned begins. */
  readonly upperBoundOffset: number
}

/** int32: how far an offset may be from the base offset of its segment. */
const MAX_RELATIVE_OFFSET = 0x7fff_ffff

/**
 * Puts neighbours together that fit one segment even if nothing of them goes; so small segments do
 * not pile up. Order stays. Source: Cleaner.groupSegmentsBySize, Kafka 4.4.
 */
export function groupSegments(segments: readonly SegmentSizes[], limits: GroupLimits): number[][] {
  const groups: number[][] = []
  let group: number[] = []
  let logBytes = 0
  let offsetIndexBytes = 0
  let timeIndexBytes = 0
  for (const [index, segment] of segments.entries()) {
    const lastOffset = (segments[index + 1]?.baseOffset ?? limits.upperBoundOffset) - 1
    const first = group[0]
    const fits =
      first !== undefined &&
      logBytes + segment.logBytes <= limits.segmentBytes &&
      offsetIndexBytes + segment.offsetIndexBytes <= limits.segmentIndexBytes &&
      timeIndexBytes + segment.timeIndexBytes <= limits.segmentIndexBytes &&
      // Nothing of an empty one is written, so it can be as far away as it likes.
      (segment.logBytes === 0 || lastOffset - first <= MAX_RELATIVE_OFFSET)
    if (fits) {
      group.push(segment.baseOffset)
      logBytes += segment.logBytes
      offsetIndexBytes += segment.offsetIndexBytes
      timeIndexBytes += segment.timeIndexBytes
      continue
    }
    group = [segment.baseOffset]
    groups.push(group)
    logBytes = segment.logBytes
    offsetIndexBytes = segment.offsetIndexBytes
    timeIndexBytes = segment.timeIndexBytes
  }
  return groups
}
