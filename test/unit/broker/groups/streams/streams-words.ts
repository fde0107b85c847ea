import type { TaskOffset } from '../../../../../src/broker/groups/streams/streams-group-requests.ts'
import type {
  Subtopology,
  TopologyTopic,
} from '../../../../../src/broker/groups/streams/streams-topology.ts'
import type { TaskList } from '../../../../../src/broker/groups/streams/tasks.ts'
import type { Command } from '../../../support/scenario-script.ts'

/** `in=a,b repartition=c:4 changelog=d sink=e together=a+c regex=x`: topics of one subtopology. */
export function subtopologyOf({ plain: [subtopologyId = '0'], named }: Command): Subtopology {
  const words = (name: string): string[] => named.get(name)?.split(',') ?? []
  const sourceTopics = words('in')
  const repartitionSourceTopics = words('repartition').map(topicOf)
  const names = repartitionSourceTopics.map(({ name }) => name)
  return {
    subtopologyId,
    sourceTopics,
    sourceTopicRegex: words('regex'),
    stateChangelogTopics: words('changelog').map(topicOf),
    repartitionSinkTopics: words('sink'),
    repartitionSourceTopics,
    copartitionGroups: words('together').map((group) => {
      const topics = group.split('+')
      return {
        sourceTopics: topics.map((topic) => sourceTopics.indexOf(topic)).filter(isThere),
        sourceTopicRegex: [],
        repartitionSourceTopics: topics.map((topic) => names.indexOf(topic)).filter(isThere),
      }
    }),
  }
}

const isThere = (index: number): boolean => index >= 0

function topicOf(word: string): TopologyTopic {
  const [name = '', partitions = '0'] = word.split(':')
  const topicConfigs = [{ key: 'cleanup.policy', value: 'compact' }]
  return { name, partitions: Number(partitions), replicationFactor: 0, topicConfigs }
}

/** `0:0,1;1:2`: partitions 0 and 1 of subtopology 0, and 2 of subtopology 1. */
export function tasksOf(text: string): TaskList[] {
  if (text === 'none') return []
  return text.split(';').map((list) => {
    const [subtopologyId = '', partitions = ''] = list.split(':')
    return { subtopologyId, partitions: partitions.split(',').map(Number) }
  })
}

/** `0:1@5`: the state of task 1 of subtopology 0 is at offset 5. */
export function offsetsOf(text: string | undefined): TaskOffset[] | null {
  if (text === undefined) return null
  return text.split(',').map((word) => {
    const [subtopologyId = '', place = ''] = word.split(':')
    const [partition = 0, offset = 0] = place.split('@').map(Number)
    return { subtopologyId, partition, offset }
  })
}
