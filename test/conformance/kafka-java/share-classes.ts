import type { JavaClass } from './classes.ts'

const name = 'consumer.ShareConsumerTest'

/** It takes half an hour, since its acquisition locks have to expire. */
const LIMIT_MS = 2_400_000

/** What the class asks for as a whole. */
const COMMON = {
  'auto.create.topics.enable': 'false',
  'group.share.max.partition.max.record.locks': '10000',
  'group.share.partition.max.record.locks': '10000',
  'group.share.record.lock.duration.ms': '15000',
  'share.coordinator.state.topic.num.partitions': '3',
}

interface Special {
  readonly what: string
  readonly config: Readonly<Record<string, string>>
  readonly methods: readonly string[]
}

const deliveries = (count: string, ...methods: readonly string[]): Special => {
  const config = { 'group.share.delivery.count.limit': count }
  return { what: `${count} deliveries`, config, methods }
}

/** Settings that single tests ask for in their annotations. */
const SPECIAL: readonly Special[] = [
  deliveries(
    '3',
    'testBehaviorOnDeliveryCountBoundary',
    'testDynamicDeliveryCountLimitIncreaseAllowsMoreDeliveries',
  ),
  deliveries(
    '10',
    'testFetchWithThrottledDeliveryBatchesWithIncreasedDeliveryLimit',
    'testFetchWithThrottledDeliveryValidateDeliveryCount',
  ),
  deliveries('2', 'testFetchWithThrottledDeliveryBatchesWithDecreasedDeliveryLimit'),
  {
    what: '3 members',
    config: { 'group.share.max.size': '3' },
    methods: ['testShareGroupMaxSizeConfigExceeded'],
  },
  {
    what: '1 session',
    config: { 'group.share.max.size': '1', 'group.share.max.share.sessions': '1' },
    methods: ['testShareGroupShareSessionCacheIsFull'],
  },
  {
    what: 'locks of 12 s',
    config: {
      'group.share.record.lock.duration.ms': '12000',
      'group.share.min.record.lock.duration.ms': '12000',
    },
    methods: ['testRenewAcknowledgementNoResultInPoll'],
  },
]

export const shareClasses: readonly JavaClass[] = [
  {
    ...{ name, label: name, config: COMMON, limitMs: LIMIT_MS },
    exclude: SPECIAL.flatMap(({ methods }) => methods).join('|'),
  },
  ...SPECIAL.map(({ what, config, methods }) => ({
    ...{ name, label: `${name} (${what})`, config: { ...COMMON, ...config } },
    ...{ include: methods.join('|'), limitMs: LIMIT_MS },
  })),
]
