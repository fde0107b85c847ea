/** What the count needs of a stream. */
export interface UsedStream {
  readonly name: string
  readonly config: { readonly max_bytes: number; readonly storage: string }
  readonly state: {
    readonly index: { readonly byteCount: number; readonly messageCount: number }
  }
}

export interface JetStreamUsage {
  readonly stats: {
    /** Bytes of streams that were asked for in memory. */
    readonly memory: number
    readonly storage: number
    /** Bytes that streams may grow to, of those that have a limit. */
    readonly reserved_memory: number
    readonly reserved_storage: number
  }
  readonly streams: number
  readonly consumers: number
  readonly messages: number
  readonly bytes: number
}

/** What all streams take, in the words of nats-server. Source: JetStreamStats and JSInfo of nats-server. */
export function jetStreamUsage(
  streams: readonly UsedStream[],
  consumerCount: (stream: string) => number,
): JetStreamUsage {
  const stats = { memory: 0, storage: 0, reserved_memory: 0, reserved_storage: 0 }
  let consumers = 0
  let messages = 0
  for (const { name, config, state } of streams) {
    const { byteCount, messageCount } = state.index
    const reserved = Math.max(0, config.max_bytes)
    consumers += consumerCount(name)
    messages += messageCount
    if (config.storage === 'memory') {
      stats.memory += byteCount
      stats.reserved_memory += reserved
    } else {
      stats.storage += byteCount
      stats.reserved_storage += reserved
    }
  }
  const bytes = stats.memory + stats.storage
  return { stats, streams: streams.length, consumers, messages, bytes }
}
