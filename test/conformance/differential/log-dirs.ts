import { alterReplicaLogDirsApi } from '../../../src/wire/kafka/messages/34-alter-replica-log-dirs.ts'
import { describeLogDirsApi } from '../../../src/wire/kafka/messages/35-describe-log-dirs.ts'
import type { Broker } from './support/broker.ts'
import { type Scenario, scenario } from './support/scenario.ts'

async function dataDir(broker: Broker): Promise<string> {
  const { results } = await broker.call(describeLogDirsApi, 4, { topics: null })
  return results[0]?.logDir ?? ''
}

function move(broker: Broker, path: string, name: string, ...partitions: number[]) {
  const dirs = [{ path, topics: [{ name, partitions }] }]
  return broker.call(alterReplicaLogDirsApi, 2, { dirs })
}

export const logDirs: readonly Scenario[] = [
  scenario(
    'AlterReplicaLogDirs lets a replica stay, and knows no other directory',
    async (broker) => {
      await broker.createTopic('dirs-here', { partitions: 2 })
      const here = await dataDir(broker)
      return [
        await move(broker, here, 'dirs-here', 0, 1, 9),
        await move(broker, here, 'dirs-missing', 0),
        await move(broker, '/no/such/directory', 'dirs-here', 0),
        await move(broker, '/no/such/directory', 'dirs-missing', 0),
        await move(broker, '', 'dirs-here', 0),
        await move(broker, `${here}/`, 'dirs-here', 0),
        await move(broker, here, 'd'.repeat(249), 0),
        await broker.call(alterReplicaLogDirsApi, 1, { dirs: [] }),
      ]
    },
  ),
  scenario('DescribeLogDirs leaves out what is not there', async (broker) => {
    await broker.createTopic('dirs-seen', { partitions: 2 })
    const topics = [
      { topic: 'dirs-seen', partitions: [1, 9] },
      { topic: 'dirs-unseen', partitions: [0] },
    ]
    const { results } = await broker.call(describeLogDirsApi, 4, { topics })
    return results.map((result) => [result.errorCode, result.topics])
  }),
]
