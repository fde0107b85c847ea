import type { ClassicGroup } from './classic/classic-group.ts'
import type { ConsumerGroup } from './consumer/consumer-group.ts'
import type { ShareGroup } from './share/share-group.ts'
import type { StreamsGroup } from './streams/streams-group.ts'

/** A group of any protocol. */
export type Group = ClassicGroup | ConsumerGroup | ShareGroup | StreamsGroup
