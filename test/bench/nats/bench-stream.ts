import { jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { BENCH_USER, type NatsTarget } from './nats-target.ts'

/** The name that `nats bench` takes when it is told no other. */
const STREAM = 'benchstream'
export const STREAM_SUBJECT = 'stored'

/** Gives `work` an empty stream in files, and removes it afterwards. */
export async function withBenchStream<T>(target: NatsTarget, work: () => Promise<T>): Promise<T> {
  const { user, password: pass } = BENCH_USER
  const client = await connect({ servers: target.address, user, pass })
  try {
    const manager = await jetstreamManager(client)
    const config = { name: STREAM, subjects: [STREAM_SUBJECT] }
    const isAtomic = target.kind === 'nats-server' ? { allow_atomic: true } : {}
    await manager.streams.add({ ...config, ...isAtomic })
    try {
      return await work()
    } finally {
      await manager.streams.delete(STREAM)
    }
  } finally {
    await client.close()
  }
}
