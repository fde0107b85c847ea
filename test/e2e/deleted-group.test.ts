import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { cleanUp, endOf, kafkaOf, newDirectory, type Server, serve, stop } from './spool-process.ts'

after(cleanUp)

const TOPIC = 'orders'
const OFFSET = '5'

/** Groups that are there, and what each of two has committed. */
async function seen(server: Server) {
  const admin = kafkaOf(server).admin()
  await admin.connect()
  const { groups } = await admin.listGroups()
  const offsets: (string | undefined)[] = []
  for (const groupId of ['deleted', 'kept']) {
    const [topic] = await admin.fetchOffsets({ groupId, topics: [TOPIC] })
    offsets.push(topic?.partitions[0]?.offset)
  }
  await admin.disconnect()
  return { groups: groups.map(({ groupId }) => groupId), offsets }
}

describe('a group that was deleted', () => {
  it('does not come back after a kill -9, and other groups stay', async () => {
    const directory = newDirectory()
    let server = await serve(directory)
    const admin = kafkaOf(server).admin()
    await admin.connect()
    await admin.createTopics({ topics: [{ topic: TOPIC, numPartitions: 1 }] })
    for (const groupId of ['deleted', 'kept'])
      await admin.setOffsets({
        groupId,
        topic: TOPIC,
        partitions: [{ partition: 0, offset: OFFSET }],
      })
    assert.deepEqual((await seen(server)).offsets, [OFFSET, OFFSET])
    await admin.deleteGroups(['deleted'])
    await admin.disconnect()
    const ended = endOf(server.child)
    server.child.kill('SIGKILL')
    await ended
    server = await serve(directory)
    assert.deepEqual(await seen(server), { groups: ['kept'], offsets: ['-1', OFFSET] })
    assert.equal(await stop(server), 0)
  })
})
