import { type OutputFormat, printJson, printRows } from '../output.ts'
import { type ClientOptions, withAdmin } from './kafka-client.ts'

/** Shows who the cluster is and how much it holds. */
export async function status(options: ClientOptions & { output: OutputFormat }): Promise<void> {
  await withAdmin(options, async (admin) => {
    const { clusterId, controller, brokers } = await admin.describeCluster()
    const { topics } = await admin.fetchTopicMetadata()
    const { groups } = await admin.listGroups()
    const partitions = topics.reduce((count, topic) => count + topic.partitions.length, 0)
    const rows = brokers.map(({ nodeId, host, port }) => ({
      broker: nodeId,
      address: `${host}:${port}`,
      controller: nodeId === controller,
    }))
    const totals = { topics: topics.length, partitions, groups: groups.length }
    if (options.output === 'json') {
      printJson({ clusterId, brokers: rows, ...totals })
      return
    }
    process.stdout.write(
      `cluster ${clusterId}: ${totals.topics} topics, ${partitions} partitions, ${totals.groups} groups\n\n`,
    )
    printRows('table', ['broker', 'address', 'controller'], rows)
  })
}
