import { buildBatch } from '../../../src/records/batch-builder.ts'
import { patchCrc } from '../../../src/records/record-batch.ts'
import { ZERO_UUID } from '../../../src/wire/kafka/codec.ts'
import { produceApi } from '../../../src/wire/kafka/messages/00-produce.ts'
import { type Broker, batchOf, recordsOf, untold } from './support/broker.ts'
import { differs, type Scenario, scenario } from './support/scenario.ts'

const HOUR_MS = 3_600_000

/** A good batch whose bytes are then changed; its checksum fits again unless the change is about it. */
function changed(change: (batch: Buffer) => void, keepsCrc = false): Buffer {
  const batch = batchOf('a', 'b')
  change(batch)
  if (!keepsCrc) patchCrc(batch, 0)
  return batch
}

const keyed = (key: string, timestamp = Date.now()) => ({
  timestamp,
  key: Buffer.from(key),
  value: Buffer.from('v'),
})

/** What is stored, without what the broker may choose. */
async function stored(broker: Broker, topic: string) {
  const { records, ...rest } = await broker.fetch(topic, 0)
  const batch = records ?? Buffer.alloc(0)
  return {
    ...rest,
    isNull: records === null,
    header:
      batch.length < 61
        ? null
        : [
            ['baseOffset', Number(batch.readBigInt64BE(0))],
            ['partitionLeaderEpoch', batch.readInt32BE(12)],
            ['attributes', batch.readInt16BE(21)],
            ['lastOffsetDelta', batch.readInt32BE(23)],
          ],
    length: batch.length,
  }
}

const refused: Readonly<Record<string, () => Buffer | null>> = {
  'two batches': () => Buffer.concat([batchOf('a'), batchOf('b')]),
  'no bytes': () => Buffer.alloc(0),
  'a base offset other than 0': () => changed((batch) => batch.writeInt32BE(5, 4)),
  'a last offset delta that does not fit': () => changed((batch) => batch.writeInt32BE(7, 23)),
  'a record count that does not fit': () => changed((batch) => batch.writeInt32BE(3, 57)),
  'a control batch of a client': () => changed((batch) => batch.writeInt16BE(0x20, 21)),
  'a wrong checksum': () => changed((batch) => batch.writeInt32BE(1, 17), true),
  'an unknown magic': () => changed((batch) => batch.writeInt8(5, 16)),
  'the old magic 1': () => changed((batch) => batch.writeInt8(1, 16)),
  'a batch cut short': () => batchOf('a').subarray(0, 65),
  'a length field that is too small': () => changed((batch) => batch.writeInt32BE(10, 8), true),
  'a transactional batch without an id': () => changed((batch) => batch.writeInt16BE(0x10, 21)),
  'a timestamp two hours ahead': () => buildBatch([keyed('a', Date.now() + 2 * HOUR_MS)]),
}

/** Refusals with another number in Spool, which knows more precisely what is wrong. */
const refusedOtherwise: Readonly<Record<string, readonly [number, () => Buffer]>> = {
  'an unknown codec': [76, () => changed((batch) => batch.writeInt16BE(6, 21))],
  'a codec that the bytes are not in': [87, () => changed((batch) => batch.writeInt16BE(1, 21))],
  'zeros in place of a batch': [87, () => Buffer.alloc(20)],
}

async function produceAll(broker: Broker, version: number, topics: readonly object[], acks = -1) {
  const request = { acks, timeoutMs: 10_000, topicData: topics as never }
  const { responses } = await broker.call(produceApi, version, request)
  return responses.map((topic) => ({
    ...topic,
    partitionResponses: topic.partitionResponses.map(untold),
  }))
}

export const produce: readonly Scenario[] = [
  ...Object.entries(refused).map(([what, records], index) =>
    scenario(`Produce refuses ${what}`, async (broker) => {
      const topic = `produce-refused-${index}`
      await broker.createTopic(topic)
      const answer = await broker.produce(topic, records())
      const next = await broker.produce(topic, batchOf('good'))
      return [answer, next]
    }),
  ),
  ...Object.entries(refusedOtherwise).map(([what, [errorCode, records]], index) =>
    differs(`Produce refuses ${what} as error ${errorCode}`, errorCode, async (broker) => {
      await broker.createTopic(`produce-otherwise-${index}`)
      return (await broker.produce(`produce-otherwise-${index}`, records())).errorCode
    }),
  ),
  // Kafka loses the request and the connection waits for ever; a client deserves an answer.
  differs('null records are refused as INVALID_RECORD', 'answered with 87', async (broker) => {
    await broker.createTopic('produce-null')
    const connection = await broker.connect()
    const partitionData = [{ index: 0, records: null }]
    connection.send(produceApi, 9, {
      ...{ acks: -1, timeoutMs: 1000, topicData: [{ name: 'produce-null', partitionData }] },
    })
    const outcome = await connection.outcome(3_000)
    if (typeof outcome === 'string') return outcome
    // The error code follows the header, one topic with its name, and the index of the partition.
    return `answered with ${outcome.readInt16BE(5 + 1 + 13 + 1 + 4)}`
  }),
  scenario('acks=0 has no answer, and an error closes the connection', async (broker) => {
    await broker.createTopic('produce-quiet')
    const connection = await broker.connect()
    const send = (name: string): void =>
      connection.send(produceApi, 9, {
        ...{ acks: 0, timeoutMs: 1000 },
        topicData: [{ name, partitionData: [{ index: 0, records: batchOf('quiet') }] }],
      })
    send('produce-quiet')
    const good = await connection.outcome(500)
    await broker.until('the record', async () =>
      (await broker.fetch('produce-quiet', 0)).records?.length ? true : undefined,
    )
    send('produce-missing')
    return [good, await connection.outcome(5_000)]
  }),
  ...[-2, 2, 100].map((acks) =>
    scenario(`acks of ${acks} are refused`, async (broker) => {
      await broker.createTopic(`produce-acks-${acks}`)
      return broker.produce(`produce-acks-${acks}`, batchOf('a'), { acks })
    }),
  ),
  scenario('every version stores a batch and tells its offset', async (broker) => {
    const topicId = await broker.createTopic('produce-versions')
    const answers: unknown[] = []
    for (let version = 3; version <= 13; version++) {
      const topic = version >= 13 ? { topicId } : { name: 'produce-versions' }
      const partitionData = [{ index: 0, records: batchOf(`v${version}`) }]
      answers.push(await produceAll(broker, version, [{ ...topic, partitionData }], 1))
    }
    return answers
  }),
  scenario(
    'the leader epoch and the offset of a batch are written by the broker',
    async (broker) => {
      await broker.createTopic('produce-stored')
      await broker.produce(
        'produce-stored',
        changed((batch) => batch.writeInt32BE(77, 12), true),
      )
      return stored(broker, 'produce-stored')
    },
  ),
  scenario('a LogAppendTime topic answers with its time and stores the bit', async (broker) => {
    const configs = { 'message.timestamp.type': 'LogAppendTime' }
    await broker.createTopic('produce-append-time', { configs })
    const future = buildBatch([keyed('a', Date.now() + 9000 * HOUR_MS)])
    return [
      await broker.produce('produce-append-time', future),
      await stored(broker, 'produce-append-time'),
    ]
  }),
  scenario(
    'a CreateTime topic answers -1 and clears the bit, if the client set it',
    async (broker) => {
      await broker.createTopic('produce-create-time')
      const batch = changed((bytes) => bytes.writeInt16BE(0x08, 21))
      return [
        await broker.produce('produce-create-time', batch),
        await stored(broker, 'produce-create-time'),
      ]
    },
  ),
  ...['compact', 'compact,delete'].map((policy) =>
    scenario(
      `a topic with cleanup.policy=${policy} refuses null keys, also inside gzip`,
      async (broker) => {
        const topic = `produce-${policy.replace(',', '-')}`
        await broker.createTopic(topic, { configs: { 'cleanup.policy': policy } })
        const mixed = [keyed('k'), ...recordsOf('no key', 'nor here')]
        return [
          await broker.produce(topic, buildBatch(mixed)),
          await broker.produce(topic, buildBatch(mixed, { codec: 1 })),
          await broker.produce(topic, buildBatch([keyed('k')])),
          await broker.produce(topic, buildBatch(mixed), { version: 7 }),
        ]
      },
    ),
  ),
  scenario('max.message.bytes counts the batch as it was sent', async (broker) => {
    await broker.createTopic('produce-large', { configs: { 'max.message.bytes': '1000' } })
    const text = 'x'.repeat(5000)
    return [
      await broker.produce('produce-large', batchOf(text)),
      await broker.produce('produce-large', buildBatch(recordsOf(text), { codec: 1 })),
      await broker.produce('produce-large', batchOf('x'.repeat(900))),
    ]
  }),
  scenario('an unknown topic or partition has error 3, an unknown id 100', async (broker) => {
    await broker.createTopic('produce-there')
    const partitionData = [{ index: 0, records: batchOf('a') }]
    return [
      await broker.produce('produce-nowhere', batchOf('a')),
      await broker.produce('produce-there', batchOf('a'), { partition: 5 }),
      await broker.produce('produce-there', batchOf('a'), { partition: -1 }),
      await produceAll(broker, 13, [{ topicId: 'AAAAAAAAAAAAAAAAAAAABQ', partitionData }]),
      await produceAll(broker, 13, [{ topicId: ZERO_UUID, partitionData }]),
    ]
  }),
  scenario('one bad partition does not touch the others', async (broker) => {
    await broker.createTopic('produce-mixed', { partitions: 2 })
    const partitionData = [
      { index: 0, records: changed((batch) => batch.writeInt32BE(1, 17), true) },
      { index: 1, records: batchOf('good') },
      { index: 9, records: batchOf('nowhere') },
    ]
    return produceAll(broker, 9, [{ name: 'produce-mixed', partitionData }])
  }),
  scenario('clients may not produce to internal topics', async (broker) => {
    await broker.coordinatorReady('produce-group')
    await broker.topicReady('__consumer_offsets')
    return broker.produce('__consumer_offsets', batchOf('a'))
  }),
  ...['gzip', 'snappy', 'lz4', 'zstd'].map((codec, index) =>
    scenario(`a ${codec} batch is stored as it was sent`, async (broker) => {
      await broker.createTopic(`produce-${codec}`)
      const records = [keyed('a', 1), keyed('b', 2)].map((record) => ({
        ...record,
        timestamp: Date.now(),
      }))
      const batch = buildBatch(records, { codec: (index + 1) as 1 })
      const answer = await broker.produce(`produce-${codec}`, batch)
      const { records: read } = await broker.fetch(`produce-${codec}`, 0)
      return [answer, read?.subarray(17).equals(batch.subarray(17))]
    }),
  ),
  scenario('old magic 2 requests of version 2 are refused by their version', async (broker) => {
    const connection = await broker.connect()
    const body = Buffer.from('00000002000000010001610001000003e800000000', 'hex')
    connection.sendFrame(body)
    return connection.outcome(5_000)
  }),
]
