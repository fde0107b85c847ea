import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { Encodable } from '../../src/wire/kafka/codec.ts'
import { findCoordinatorApi } from '../../src/wire/kafka/messages/10-find-coordinator.ts'
import { createTopicsApi } from '../../src/wire/kafka/messages/19-create-topics.ts'
import { streamsGroupHeartbeatApi } from '../../src/wire/kafka/messages/88-streams-group-heartbeat.ts'
import { KafkaConnection } from '../support/kafka-connection.ts'
import { cleanUp, endOf, newDirectory, runSpool, type Server, serve } from './spool-process.ts'

after(cleanUp)

const GROUP = 'counter'
const MEMBER = 'thread-1'
const LOADING: readonly number[] = [14, 15, 16]
const SETTLE_MS = 20_000

type HeartbeatRequest = Partial<Encodable<typeof streamsGroupHeartbeatApi.request>>

async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  const end = performance.now() + SETTLE_MS
  while (performance.now() < end) {
    const found = await look()
    if (found !== undefined) return found
    await delay(20)
  }
  throw new Error(`${what}: not within ${SETTLE_MS} ms`)
}

async function beat(
  connection: KafkaConnection,
  memberEpoch: number,
  facts: HeartbeatRequest = {},
) {
  return until('an answer of the coordinator', async () => {
    const answer = await connection.call(streamsGroupHeartbeatApi, 1, {
      ...{ groupId: GROUP, memberId: MEMBER, memberEpoch, endpointInformationEpoch: 0 },
      ...{ instanceId: null, rackId: null, rebalanceTimeoutMs: -1, topology: null },
      ...{ activeTasks: null, standbyTasks: null, warmupTasks: null, processId: null },
      ...{ userEndpoint: null, clientTags: null, taskOffsets: null, taskEndOffsets: null },
      shutdownApplication: false,
      ...facts,
    })
    return LOADING.includes(answer.errorCode) ? undefined : answer
  })
}

/** Counts words: what is counted is written to a changelog, which the broker has to create. */
const TOPOLOGY = {
  epoch: 0,
  subtopologies: [
    {
      subtopologyId: '0',
      sourceTopics: ['words'],
      sourceTopicRegex: [],
      stateChangelogTopics: [
        {
          ...{ name: 'counter-store-changelog', partitions: 0, replicationFactor: 1 },
          topicConfigs: [{ key: 'cleanup.policy', value: 'compact' }],
        },
      ],
      repartitionSinkTopics: [],
      repartitionSourceTopics: [],
      copartitionGroups: [],
    },
  ],
}

async function join(connection: KafkaConnection): Promise<number> {
  await connection.call(createTopicsApi, 7, {
    topics: [
      { name: 'words', numPartitions: 3, replicationFactor: 1, assignments: [], configs: [] },
    ],
  })
  await until('the coordinator', async () => {
    const answer = await connection.call(findCoordinatorApi, 3, { key: GROUP, keyType: 0 })
    return answer.errorCode === 0 ? true : undefined
  })
  const nothing = { activeTasks: [], standbyTasks: [], warmupTasks: [] }
  const facts = { rebalanceTimeoutMs: 60_000, processId: 'process-1', topology: TOPOLOGY }
  const joined = await beat(connection, 0, { ...nothing, ...facts })
  let epoch = joined.memberEpoch
  return until('the tasks', async () => {
    const { memberEpoch, activeTasks } = await beat(connection, epoch)
    epoch = memberEpoch
    return activeTasks?.[0]?.partitions.length === 3 ? epoch : undefined
  })
}

async function json({ bootstrap }: Server, ...args: readonly string[]) {
  const { code, stdout, stderr } = await runSpool(...args, '-b', bootstrap, '--output', 'json')
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
  return JSON.parse(stdout)
}

describe('a streams group (KIP-1071)', () => {
  it('is there after a kill -9 of the broker, and `spool group` shows it', async () => {
    const directory = newDirectory()
    const first = await serve(directory)
    const epoch = await join(await KafkaConnection.open(first.bootstrap))
    first.child.kill('SIGKILL')
    await endOf(first.child)

    const server = await serve(directory)
    const connection = await KafkaConnection.open(server.bootstrap)
    const kept = await beat(connection, epoch)
    assert.deepEqual([kept.errorCode, kept.memberEpoch, kept.status], [0, epoch, []])
    const listed = [{ group: GROUP, type: 'streams', state: 'Stable', members: 1 }]
    assert.deepEqual(await json(server, 'group', 'list'), listed)
    const described = await json(server, 'group', 'describe', GROUP)
    assert.equal(described.members[0].member, MEMBER)
    assert.equal(described.members[0].partitions, '0: 0,1,2')
    const topics: { topic: string; partitions: number }[] = await json(server, 'topic', 'list')
    const changelog = topics.find(({ topic }) => topic === 'counter-store-changelog')
    assert.equal(changelog?.partitions, 3)

    await beat(connection, -1)
    await json(server, 'group', 'delete', GROUP)
    assert.deepEqual(await json(server, 'group', 'list'), [])
  })
})
