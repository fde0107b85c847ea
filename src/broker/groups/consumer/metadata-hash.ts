import type { TopicImage } from '../../../ports/metadata-store.ts'
import { xxh3 } from './xxh3.ts'

/** Goes up when the hash of a topic counts something else. */
const HASH_VERSION = 0

/** Where a replica is, for the hash; null: the brokers name no racks. */
export type Rack = string | null

/**
 * Hashes of topics, kept until they change: by them a group tells that a topic it reads was created,
 * deleted, or got partitions. Source: Utils.computeTopicHash of Kafka 4.4.
 */
export class TopicHashes {
  readonly #hashes = new Map<string, bigint>()

  forget(topic: string): void {
    this.#hashes.delete(topic)
  }

  hashOf(topic: TopicImage, rack: Rack): bigint {
    const known = this.#hashes.get(topic.name)
    if (known !== undefined) return known
    const hash = topicHash(topic, rack)
    this.#hashes.set(topic.name, hash)
    return hash
  }

  /** Of the topics that exist, whatever their order; 0 when there is none. */
  groupHash(names: Iterable<string>, topics: ReadonlyMap<string, TopicImage>, rack: Rack): bigint {
    const known = [...names].filter((name) => topics.has(name)).sort()
    if (known.length === 0) return 0n
    const bytes = Buffer.alloc(known.length * 8)
    for (const [index, name] of known.entries()) {
      const topic = topics.get(name)
      if (topic !== undefined) bytes.writeBigInt64LE(this.hashOf(topic, rack), index * 8)
    }
    return xxh3(bytes)
  }
}

export function topicHash({ name, topicId, partitions }: TopicImage, rack: Rack): bigint {
  const parts = [
    Buffer.from([HASH_VERSION]),
    // As two numbers of 64 bits, each in the order of bytes that is not the id's.
    Buffer.from(topicId, 'base64url').swap64(),
    text(name),
    int32(partitions.length),
  ]
  for (const { partition, replicas } of partitions) {
    parts.push(int32(partition))
    if (rack === null) continue
    for (const _ of replicas) parts.push(int32(rack.length), text(rack))
  }
  return xxh3(Buffer.concat(parts))
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32LE(value)
  return bytes
}

/** The units of UTF-16 and how many there are. */
const text = (value: string): Buffer =>
  Buffer.concat([Buffer.from(value, 'utf16le'), int32(value.length)])
