import type { Clock } from '../../../../ports/clock.ts'
import type { Scheduler } from '../../../../ports/scheduler.ts'
import type { Stream } from '../stream.ts'
import type { StreamSource } from '../stream-config.ts'
import { OriginFollower } from './origin-follower.ts'
import { MirrorSink, SourceSink } from './origin-sinks.ts'

export interface OriginFollowersOptions {
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly find: (name: string) => Stream | undefined
}

/** All mirrors and sources of an account: who copies from whom. */
export class OriginFollowers {
  readonly #options: OriginFollowersOptions
  readonly #followers = new Map<Stream, Map<string, OriginFollower>>()

  constructor(options: OriginFollowersOptions) {
    this.#options = options
  }

  /** A stream is there: it copies, and may be copied. */
  opened(stream: Stream): void {
    this.configured(stream)
    for (const followers of this.#followers.values()) {
      for (const one of followers.values()) if (one.source.name === stream.name) one.start()
    }
  }

  /** Those that are as they were go on. */
  configured(stream: Stream): void {
    const before = this.#followers.get(stream) ?? new Map<string, OriginFollower>()
    const now = new Map<string, OriginFollower>()
    const { mirror, sources = [] } = stream.config
    for (const source of mirror === undefined ? sources : [mirror]) {
      const key = JSON.stringify(source)
      now.set(key, before.get(key) ?? this.#follower(stream, source, mirror !== undefined))
    }
    for (const [key, one] of before) if (!now.has(key)) one.close()
    if (now.size === 0) this.#followers.delete(stream)
    else this.#followers.set(stream, now)
    stream.originStatus = () => [...now.values()].map(({ status }) => status)
    for (const one of now.values()) one.start()
  }

  dropped(stream: Stream): void {
    for (const one of this.#followers.get(stream)?.values() ?? []) one.close()
    this.#followers.delete(stream)
  }

  close(): void {
    for (const stream of [...this.#followers.keys()]) this.dropped(stream)
  }

  #follower(stream: Stream, source: StreamSource, isMirror: boolean): OriginFollower {
    const sink = isMirror ? new MirrorSink(stream) : new SourceSink(stream, source)
    return new OriginFollower({ ...this.#options, source, sink })
  }
}
