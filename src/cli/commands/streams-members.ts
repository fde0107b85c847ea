import type { Admin } from '@platformatic/kafka'
import type { Decoded } from '../../wire/kafka/codec.ts'
import { streamsGroupDescribeApi } from '../../wire/kafka/messages/89-streams-group-describe.ts'
import { askCoordinator } from './ask-coordinator.ts'

type Described = Decoded<typeof streamsGroupDescribeApi.response>
type StreamsMember = Described['groups'][number]['members'][number]
type TaskLists = StreamsMember['assignment']['activeTasks']

const VERSION = 0

/** A member of a streams group with its tasks, as they are shown. */
export interface StreamsMemberTasks {
  readonly member: string
  readonly client: string
  readonly host: string
  /** e.g. `0: 0,1; standby 1: 2`: partitions by subtopology. */
  readonly partitions: string
}

/** StreamsGroupDescribe (KIP-1071). */
export async function membersOfStreamsGroup(
  admin: Admin,
  group: string,
): Promise<StreamsMemberTasks[]> {
  const request = { groupIds: [group], includeAuthorizedOperations: false }
  const answer = await askCoordinator(admin, group, streamsGroupDescribeApi, VERSION, request)
  return (answer?.groups[0]?.members ?? []).map(shown)
}

function shown({ memberId, clientId, clientHost, assignment }: StreamsMember): StreamsMemberTasks {
  const roles = [
    textOf(assignment.activeTasks, ''),
    textOf(assignment.standbyTasks, 'standby '),
    textOf(assignment.warmupTasks, 'warm-up '),
  ]
  const partitions = roles.filter((text) => text !== '').join('; ')
  return { member: memberId, client: clientId, host: clientHost, partitions }
}

function textOf(tasks: TaskLists, role: string): string {
  return tasks
    .map(({ subtopologyId, partitions }) => `${role}${subtopologyId}: ${partitions.join(',')}`)
    .join('; ')
}
