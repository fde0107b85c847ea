import { buildBatch } from '../../../src/records/batch-builder.ts'
import { initProducerIdApi } from '../../../src/wire/kafka/messages/22-init-producer-id.ts'
import { type Broker, recordsOf } from './support/broker.ts'
import { type Scenario, scenario } from './support/scenario.ts'

interface Sent {
  readonly sequence: number
  readonly epoch?: number
  readonly count?: number
}

async function newProducer(broker: Broker): Promise<number> {
  return broker.until('a producer id', async () => {
    const request = { transactionalId: null, transactionTimeoutMs: 60_000 }
    const answer = await broker.call(initProducerIdApi, 4, request)
    return answer.errorCode === 0 ? answer.producerId : undefined
  })
}

/** Sends batches of one producer in order and returns error and offset of each. */
async function sequence(
  broker: Broker,
  topic: string,
  sent: readonly Sent[],
  options: { configs?: Record<string, string>; producerId?: number } = {},
): Promise<unknown> {
  await broker.createTopic(topic, { configs: options.configs ?? {} })
  const producerId = options.producerId ?? (await newProducer(broker))
  const answers: unknown[] = []
  for (const { sequence: baseSequence, epoch = 0, count = 1 } of sent) {
    const values = Array.from({ length: count }, (_, index) => `${baseSequence + index}`)
    const batch = buildBatch(recordsOf(...values), {
      producerId,
      producerEpoch: epoch,
      baseSequence,
    })
    const { errorCode, baseOffset, logAppendTimeMs } = await broker.produce(topic, batch)
    answers.push({ errorCode, baseOffset, logAppendTimeMs })
  }
  const end = await broker.fetch(topic, 0)
  return [answers, end.highWatermark]
}

const sequences = (...numbers: number[]): Sent[] => numbers.map((sequence) => ({ sequence }))

export const idempotence: readonly Scenario[] = [
  scenario('a repeat of the last five batches has its first offset, the sixth error 45', (broker) =>
    sequence(broker, 'idempotence-five', sequences(0, 1, 2, 3, 4, 5, 5, 4, 3, 2, 1, 0, 6)),
  ),
  scenario('a repeat on a LogAppendTime topic has the time of the first', (broker) =>
    sequence(broker, 'idempotence-time', sequences(0, 1, 0, 1), {
      configs: { 'message.timestamp.type': 'LogAppendTime' },
    }),
  ),
  scenario('the same start with another size is no repeat', (broker) =>
    sequence(broker, 'idempotence-size', [
      { sequence: 0, count: 3 },
      { sequence: 0, count: 2 },
      { sequence: 0, count: 3 },
      { sequence: 1, count: 2 },
    ]),
  ),
  scenario('a gap has error 45 and appends nothing', (broker) =>
    sequence(broker, 'idempotence-gap', sequences(0, 2, 7, 1)),
  ),
  scenario('an older epoch has error 47, a newer one must begin at 0', (broker) =>
    sequence(broker, 'idempotence-epoch', [
      { sequence: 0, epoch: 2 },
      { sequence: 1, epoch: 1 },
      { sequence: 1, epoch: 3 },
      { sequence: 0, epoch: 3 },
      { sequence: 1, epoch: 2 },
      { sequence: 1, epoch: 3 },
    ]),
  ),
  scenario('an unknown producer may begin with any sequence', (broker) =>
    sequence(broker, 'idempotence-unknown', sequences(77, 78, 78, 80), { producerId: 987_654 }),
  ),
  scenario('sequences go on at 0 after 2147483647', (broker) =>
    sequence(broker, 'idempotence-wrap', [
      { sequence: 2_147_483_646, count: 1 },
      { sequence: 2_147_483_647, count: 3 },
      { sequence: 2, count: 1 },
      { sequence: 2_147_483_647, count: 3 },
    ]),
  ),
  scenario(
    'every InitProducerId without a transactional id has a new id and epoch 0',
    async (broker) => {
      const answers: unknown[] = []
      for (let version = 0; version <= 5; version++) {
        await newProducer(broker)
        const request = { transactionalId: null, transactionTimeoutMs: 60_000 }
        answers.push(await broker.call(initProducerIdApi, version, request))
      }
      return answers
    },
  ),
]
