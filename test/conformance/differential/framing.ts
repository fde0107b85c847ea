import { fetchApi } from '../../../src/wire/kafka/messages/01-fetch.ts'
import { metadataApi } from '../../../src/wire/kafka/messages/03-metadata.ts'
import { apiVersionsApi } from '../../../src/wire/kafka/messages/18-api-versions.ts'
import type { Broker } from './support/broker.ts'
import type { Outcome } from './support/raw-connection.ts'
import { type Scenario, scenario } from './support/scenario.ts'

const NO_TAGS = Buffer.from([0])
const OUTCOME_LIMIT_MS = 5_000
const SOFTWARE = { clientSoftwareName: 'differential', clientSoftwareVersion: '1.0' }
/** The APIs that every client needs; their version ranges decide what clients can do. */
const DATA_PATH = [0, 1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 19, 20, 21, 22, 23, 32, 42, 47]

function header(apiKey: number, version: number, correlationId = 7): Buffer {
  const bytes = Buffer.alloc(10)
  bytes.writeInt16BE(apiKey, 0)
  bytes.writeInt16BE(version, 2)
  bytes.writeInt32BE(correlationId, 4)
  bytes.writeInt16BE(-1, 8)
  return bytes
}

function shown(outcome: Outcome): string {
  return typeof outcome === 'string' ? outcome : outcome.toString('hex')
}

async function outcomeOf(broker: Broker, bytes: Buffer): Promise<Outcome> {
  const connection = await broker.connect()
  connection.sendBytes(bytes)
  return connection.outcome(OUTCOME_LIMIT_MS)
}

const framed = (body: Buffer): Buffer => {
  const size = Buffer.alloc(4)
  size.writeInt32BE(body.length)
  return Buffer.concat([size, body])
}

async function firstVersions(broker: Broker, version: number, request: object): Promise<unknown> {
  return broker.call(apiVersionsApi, version, { ...SOFTWARE, ...request })
}

export const framing: readonly Scenario[] = [
  ...[
    ['an unknown API key', 999, 0],
    ['a negative API key', -1, 0],
    ['an unknown version', 3, 99],
    ['a removed version of Fetch', 1, 3],
    ['a version of JoinGroup that never was', 11, 77],
    ['a request for controllers only', 52, 0],
  ].map(([what, key, version]) =>
    scenario(`${what} closes the connection without an answer`, async (broker) =>
      shown(await outcomeOf(broker, framed(header(Number(key), Number(version))))),
    ),
  ),
  scenario(
    'an unknown version of ApiVersions is answered as v0 with error 35 and one range',
    async (broker) => {
      const connection = await broker.connect()
      connection.sendFrame(Buffer.concat([header(18, 99), NO_TAGS]))
      const refusal = shown(await connection.outcome(OUTCOME_LIMIT_MS))
      const retry = await connection.call(apiVersionsApi, 0, SOFTWARE)
      return [refusal, retry.errorCode, retry.apiKeys.length > 0]
    },
  ),
  scenario(
    'the header of ApiVersions answers has no tags, so that old clients read it',
    async (broker) => {
      const connection = await broker.connect()
      connection.send(apiVersionsApi, 3, SOFTWARE)
      const frame = await connection.outcome(OUTCOME_LIMIT_MS)
      return typeof frame === 'string' ? frame : [frame.readInt32BE(0), frame.readInt16BE(4)]
    },
  ),
  ...['', '-name', 'na me', 'name_1', 'a.b-c'].map((clientSoftwareName) =>
    scenario(
      `the software name "${clientSoftwareName}" is judged by its letters`,
      async (broker) => {
        const answer = await broker.call(apiVersionsApi, 3, { ...SOFTWARE, clientSoftwareName })
        const again = await broker.call(apiVersionsApi, 3, SOFTWARE)
        return [answer.errorCode, answer.apiKeys.length > 0, again.errorCode]
      },
    ),
  ),
  scenario(
    'ApiVersions v5 for another cluster or node is answered with error 129',
    async (broker) => [
      await firstVersions(broker, 5, { clusterId: 'elsewhere', nodeId: 1 }),
      await firstVersions(broker, 5, { clusterId: 'elsewhere', nodeId: 77 }),
      await firstVersions(broker, 5, { clusterId: 'elsewhere' }),
      await firstVersions(broker, 5, { nodeId: 1 }),
    ],
  ),
  scenario('Produce is advertised from version 0, Fetch from 4', async (broker) => {
    const { apiKeys } = await broker.call(apiVersionsApi, 4, SOFTWARE)
    return apiKeys
      .filter(({ apiKey }) => apiKey < 2)
      .map(({ apiKey, minVersion }) => [apiKey, minVersion])
  }),
  scenario('the APIs of the data path have the version ranges of Kafka', async (broker) => {
    const { apiKeys } = await broker.call(apiVersionsApi, 4, SOFTWARE)
    const ranges = apiKeys.filter(({ apiKey }) => DATA_PATH.includes(apiKey))
    return Object.fromEntries(
      ranges.map(({ apiKey, minVersion, maxVersion }) => [apiKey, `${minVersion}-${maxVersion}`]),
    )
  }),
  scenario(
    'answers come in the order of the requests, also behind a fetch that waits',
    async (broker) => {
      await broker.createTopic('framing-order')
      const connection = await broker.connect()
      const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }]
      connection.send(fetchApi, 12, {
        ...{ maxWaitMs: 700, minBytes: 1, forgottenTopicsData: [] },
        topics: [{ topic: 'framing-order', partitions }],
      })
      connection.send(apiVersionsApi, 0, SOFTWARE)
      const first = await connection.answer(fetchApi, 12)
      const second = await connection.answer(apiVersionsApi, 0)
      return [first.errorCode, first.responses.length, second.errorCode]
    },
  ),
  ...[
    ['longer than the limit', 104_857_601],
    ['as long as an int32 can say', 0x7fff_ffff],
    ['negative', -1],
  ].map(([what, size]) =>
    scenario(`a frame that is ${what} closes the connection`, async (broker) => {
      const bytes = Buffer.alloc(4)
      bytes.writeInt32BE(Number(size))
      return shown(await outcomeOf(broker, bytes))
    }),
  ),
  scenario('a null client id is legal, also before a flexible request', async (broker) => {
    const connection = await broker.connect()
    connection.send(apiVersionsApi, 0, SOFTWARE, null)
    const versions = await connection.answer(apiVersionsApi, 0)
    const request = { topics: [], includeTopicAuthorizedOperations: false }
    connection.send(metadataApi, 12, request, null)
    const metadata = await connection.answer(metadataApi, 12)
    return [versions.errorCode, metadata.brokers.length]
  }),
  scenario('unknown tags of a request are skipped', async (broker) => {
    const connection = await broker.connect()
    // Header v2 with one tag, ApiVersions v3 with another one.
    const tag = Buffer.from([1, 0x64, 2, 0xaa, 0xbb])
    const name = Buffer.from('\x02a\x021')
    connection.sendFrame(Buffer.concat([header(18, 3), tag, name, tag]))
    const frame = await connection.outcome(OUTCOME_LIMIT_MS)
    return typeof frame === 'string' ? frame : frame.readInt16BE(4)
  }),
  ...[
    ['Metadata v1', 3, 1],
    ['Fetch v4', 1, 4],
  ].map(([what, key, version]) =>
    scenario(
      `${what} with more elements than bytes closes that connection only`,
      async (broker) => {
        const count = Buffer.from('7fffffff', 'hex')
        const fetchFields = key === 1 ? Buffer.alloc(4 * 4 + 1) : Buffer.alloc(0)
        const body = Buffer.concat([header(Number(key), Number(version)), fetchFields, count])
        const outcome = shown(await outcomeOf(broker, framed(body)))
        const other = await broker.call(apiVersionsApi, 0, SOFTWARE)
        return [outcome, other.errorCode]
      },
    ),
  ),
]
