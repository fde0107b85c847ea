import type { SeededRandom } from '../../fuzz/seeded-random.ts'
import type { DiskFault, DiskOperation } from '../disk/simulated-disk.ts'
import type { Focus } from '../focus.ts'

/** How one run of the broker ends. */
export interface Ending {
  readonly kind: 'power' | 'kill' | 'stop'
  /** It ends at this operation of the disk, or at this turn of the event loop; whichever is first. */
  readonly atOperation: number
  readonly atTurn: number
  /** The power fails once a stop is through, or the next start begins. */
  readonly losesPowerAfterwards: boolean
}

const LENGTHS = [10, 40, 120, 300, 500] as const

const KINDS = ['power', 'power', 'power', 'kill', 'kill', 'stop'] as const

/** A share group takes so many times longer to get anywhere. */
const SHARE_GROUP_FACTOR = 4

export function drawEnding(random: SeededRandom, focus: Focus = {}): Ending {
  const kind = random.pick(focus.endings ?? KINDS)
  const factor = focus.sharesGroups === true ? SHARE_GROUP_FACTOR : 1
  const length = 1 + random.int(random.pick(LENGTHS) * factor)
  const isByOperation = random.oneIn(2)
  return {
    kind,
    atOperation: kind !== 'stop' && isByOperation ? length : Number.POSITIVE_INFINITY,
    atTurn: kind !== 'stop' && isByOperation ? 2000 * factor : length,
    losesPowerAfterwards: random.oneIn(4),
  }
}

/** What kinds of misfortune a seed has besides crashes. */
export interface FaultPlan {
  readonly name: string
  /** One in so many operations fails. */
  readonly rates: Partial<Record<DiskOperation, number>>
  readonly flipsBits: boolean
  /** The disk gets full now and then. */
  readonly runsFull: boolean
}

const NONE: FaultPlan = { name: 'crashes', rates: {}, flipsBits: false, runsFull: false }

const PLANS: readonly FaultPlan[] = [
  NONE,
  NONE,
  NONE,
  { ...NONE, name: 'failing syncs', rates: { sync: 60, syncDirectory: 60 } },
  { ...NONE, name: 'failing writes', rates: { write: 60, resize: 60 } },
  { ...NONE, name: 'failing reads', rates: { read: 40 } },
  {
    ...NONE,
    name: 'failing names',
    rates: { open: 80, rename: 40, remove: 40, makeDirectory: 20 },
  },
  { ...NONE, name: 'full disk', runsFull: true },
  { ...NONE, name: 'flipped bits', rates: { read: 8 }, flipsBits: true },
]

/** @param name of the only one that counts; undefined: any */
export function drawFaultPlan(random: SeededRandom, name?: string): FaultPlan {
  return random.pick(PLANS.filter((plan) => name === undefined || plan.name === name))
}

/** The fault of one operation, if it is its turn. */
export function drawFault(
  plan: FaultPlan,
  operation: DiskOperation,
  path: string,
  random: SeededRandom,
): DiskFault | undefined {
  const rate = plan.rates[operation]
  if (rate === undefined || !random.oneIn(rate)) return undefined
  // Only records have a CRC that tells.
  if (plan.flipsBits) return path.endsWith('.log') ? { kind: 'flippedBit' } : undefined
  return { kind: 'error', code: 'EIO', share: random.int(4) / 4 }
}
