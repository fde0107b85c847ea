import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Kvm, KvWatchInclude } from '@nats-io/kv'
import { useTarget } from '../support/use-target.ts'
import { targetKind } from '../target.ts'
import { runJavaClient } from './java-client.ts'
import { expectMessage, publishAll, pullAll, withNats } from './nats-side.ts'
import { anyRecord, bucketEntry, commonRecord, KEY_COUNT, TOPIC } from './numbered-records.ts'
import { RecordHash } from './record-hash.ts'

const { SPOOL_CONFORMANCE_ALL } = process.env
const COUNT = SPOOL_CONFORMANCE_ALL === '1' ? 1_000_000 : 50_000
/** Fewer versions of each key than a bucket may keep. */
const BUCKET_KEY_COUNT = COUNT / 40
const HISTORY = 64
const SUBJECTS = ['orders.>', TOPIC, `${TOPIC}.>`]
const skip = targetKind() === 'spool' ? false : 'Kafka does not serve NATS'

function sayHow(what: string, startedAt: number): void {
  const seconds = (performance.now() - startedAt) / 1000
  console.log(`${what}: ${COUNT} records in ${seconds.toFixed(1)} s, none lost or changed`)
}

describe('records that a Java producer writes to the topic of a stream', { skip }, () => {
  const target = useTarget({ hasNats: true })

  it('are read by a JetStream pull consumer with subject, headers, payload and time', async () => {
    const startedAt = performance.now()
    await withNats(target().nats, async (side) => {
      await side.manager.streams.add({ name: TOPIC, subjects: SUBJECTS })
      const [produced, read] = await Promise.all([
        runJavaClient(target().bootstrap, 'produce', TOPIC, 'any', COUNT, KEY_COUNT),
        pullAll(side, TOPIC, COUNT, (message, index) => {
          expectMessage(message, anyRecord(index), index)
        }),
      ])
      assert.deepEqual(read.times, produced.times)
    })
    sayHow('Java producer to JetStream pull consumer', startedAt)
  })
})

describe('messages that nats.js publishes to a stream', { skip }, () => {
  const target = useTarget({ hasNats: true })

  it('are read by a Java consumer group with key, headers, value and time', async () => {
    const startedAt = performance.now()
    await withNats(target().nats, async (side) => {
      await side.manager.streams.add({ name: TOPIC, subjects: SUBJECTS })
      const expected = new RecordHash()
      const sequences = await publishAll(side, COUNT, (number) => commonRecord('nats', number))
      assert.ok(sequences.every((sequence, index) => sequence === index + 1))
      const read = await runJavaClient(target().bootstrap, 'consume', TOPIC, 'readers', COUNT)
      for (let offset = 0; offset < COUNT; offset++) {
        const { subject, headers, payload } = commonRecord('nats', offset)
        expected.add({ offset, key: Buffer.from(subject), headers, value: payload }, 0)
      }
      assert.deepEqual(read.content, expected.finish().content)
      // What they call the time of a record is the same.
      const pulled = await pullAll(side, TOPIC, COUNT, () => undefined)
      assert.deepEqual(read, pulled)
    })
    sayHow('nats.js to Java consumer group', startedAt)
  })
})

describe('records that a Java producer writes to the topic of a bucket', { skip }, () => {
  const target = useTarget({ hasNats: true })

  it('are seen by a watch, tombstones as deletions, and by whoever gets a key', async () => {
    const startedAt = performance.now()
    await withNats(target().nats, async ({ connection }) => {
      const bucket = await new Kvm(connection).create('watched', { history: HISTORY })
      const watch = await bucket.watch({ include: KvWatchInclude.UpdatesOnly })
      const { bootstrap } = target()
      const command = ['produce', 'KV_watched', 'bucket', COUNT, BUCKET_KEY_COUNT]
      const produced = runJavaClient(bootstrap, ...command)
      let seen = 0
      for await (const { key, operation, value, revision } of watch) {
        const { payload, ...expected } = bucketEntry(seen, BUCKET_KEY_COUNT)
        seen++
        assert.deepEqual([key, operation, revision], [expected.key, expected.operation, seen])
        if (Buffer.compare(value, payload) !== 0) assert.deepEqual(value, payload)
        if (seen === COUNT) break
      }
      await produced
      for (let number = COUNT - 20; number < COUNT; number++) {
        const { key, operation, payload } = bucketEntry(number, BUCKET_KEY_COUNT)
        const entry = await bucket.get(key)
        assert.deepEqual([entry?.operation, entry?.revision], [operation, number + 1])
        assert.equal(Buffer.compare(entry?.value ?? Buffer.alloc(1), payload), 0)
      }
      const { values } = await bucket.status()
      assert.equal(values, COUNT)
    })
    sayHow('Java producer to a watch of a bucket', startedAt)
  })
})

describe('a topic that both protocols write and read at once', { skip }, () => {
  const target = useTarget({ hasNats: true })

  it('gives a Java consumer group and a JetStream consumer the same, in the same order', async () => {
    const startedAt = performance.now()
    await withNats(target().nats, async (side) => {
      await side.manager.streams.add({ name: TOPIC, subjects: SUBJECTS })
      const { bootstrap, nats } = target()
      const numbers = { kafka: 0, nats: 0 }
      const [, group, pulled] = await Promise.all([
        runJavaClient(bootstrap, 'produce', TOPIC, 'subjects', COUNT / 2, KEY_COUNT),
        runJavaClient(bootstrap, 'consume', TOPIC, 'readers', COUNT),
        pullAll(side, TOPIC, COUNT, (message, index) => {
          const source = message.subject.startsWith('orders.kafka.') ? 'kafka' : 'nats'
          expectMessage(message, commonRecord(source, numbers[source]), index)
          numbers[source]++
        }),
        withNats(nats, async (publisher) => {
          await publishAll(publisher, COUNT / 2, (number) => commonRecord('nats', number))
        }),
      ])
      assert.deepEqual(numbers, { kafka: COUNT / 2, nats: COUNT / 2 })
      assert.deepEqual(pulled, group)
    })
    sayHow('both to both', startedAt)
  })
})
