import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { streamsGroupDescribeApi } from '../../../src/wire/kafka/messages/89-streams-group-describe.ts'
import { Broker } from '../differential/support/broker.ts'
import {
  internalTopic,
  StreamsMember,
  settle,
  subtopology,
} from '../differential/support/streams-member.ts'
import { freePorts } from '../support/free-ports.ts'
import { type Node, startKafkaNode, startSpoolNode } from './kafka-node.ts'

const GROUP = 'exchanged'
const TASK_COUNT = 3
/** Sessions outlive the change of the broker. */
const CONFIG = { 'group.streams.initial.rebalance.delay.ms': '0' }

/** All that the records of a group say; whether its topics are there is looked at later. */
async function described(broker: Broker): Promise<unknown> {
  const groups = await broker.until('the group', async () => {
    const answer = await broker.call(streamsGroupDescribeApi, 1, {
      ...{ groupIds: [GROUP], includeAuthorizedOperations: false },
    })
    return answer.groups[0]?.errorCode === 0 ? answer.groups : undefined
  })
  return groups.map(({ members, groupEpoch, assignmentEpoch, groupState }) => ({
    ...{ members, groupEpoch, assignmentEpoch, groupState },
  }))
}

it('a streams group goes from Spool to Kafka and back, and its member never rejoins', async () => {
  const home = await mkdtemp(join(tmpdir(), 'conformance-streams-exchange-'))
  const dataDir = join(home, 'data')
  await mkdir(dataDir)
  const [port = 0] = await freePorts(1)
  const kafka = () => startKafkaNode({ dataDir, quorum: 'static', port, config: CONFIG })
  let node: Node | undefined
  try {
    // Kafka formats the directory.
    node = await kafka()
    await node.stop()
    node = await startSpoolNode(dataDir, port, CONFIG)
    let broker = new Broker(node.bootstrap)
    await broker.coordinatorReady(GROUP)
    await broker.createTopic('in', { partitions: TASK_COUNT })
    const stateChangelogTopics = [internalTopic('store')]
    const subtopologies = [subtopology({ sourceTopics: ['in'], stateChangelogTopics })]
    const options = { groupId: GROUP, memberId: 'one', subtopologies }
    let one = new StreamsMember(broker, options)
    await one.join({ clientTags: [{ key: 'zone', value: 'z' }] })
    await settle(broker, [one], [TASK_COUNT])
    const expected = await described(broker)

    for (const start of [kafka, () => startSpoolNode(dataDir, port, CONFIG)]) {
      const { memberEpoch } = one
      broker.close()
      await node.stop()
      node = await start()
      broker = new Broker(node.bootstrap)
      assert.deepEqual(await described(broker), expected, `as ${node.kind} tells it`)
      one = new StreamsMember(broker, options)
      const told = await one.beat({ memberEpoch })
      assert.deepEqual([told.errorCode, told.memberEpoch, told.status], [0, memberEpoch, []])
    }
    broker.close()
  } finally {
    await node?.kill()
    await rm(home, { recursive: true, force: true })
  }
})
