import { type Admin, Connection, FindCoordinatorKeyTypes, Writer } from '@platformatic/kafka'
import {
  type Decoded,
  decoderOf,
  encoderOf,
  Reader,
  Writer as WireWriter,
} from '../../wire/kafka/codec.ts'
import { streamsGroupDescribeApi } from '../../wire/kafka/messages/89-streams-group-describe.ts'

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

/** StreamsGroupDescribe (KIP-1071), which no client library has: it only carries our bytes. */
export async function membersOfStreamsGroup(
  admin: Admin,
  group: string,
): Promise<StreamsMemberTasks[]> {
  const keyType = FindCoordinatorKeyTypes.GROUP
  const [coordinator] = await admin.findCoordinator({ keyType, keys: [group] })
  if (coordinator === undefined) return []
  const connection = new Connection('spool-cli')
  await connection.connect(coordinator.host, coordinator.port)
  try {
    const { groups } = await describe(connection, group)
    return (groups[0]?.members ?? []).map(shown)
  } finally {
    await connection.close()
  }
}

function describe(connection: Connection, group: string): Promise<Described> {
  const writer = new WireWriter()
  encoderOf(streamsGroupDescribeApi.request)(VERSION)(writer, {
    groupIds: [group],
    includeAuthorizedOperations: false,
  })
  return new Promise((resolve, reject) => {
    connection.send<Described>(
      streamsGroupDescribeApi.key,
      VERSION,
      () => Writer.create().append(Buffer.concat(writer.finish())),
      (_correlationId, _key, _version, { buffer, position }) => {
        const reader = new Reader(buffer.slice(position))
        return decoderOf(streamsGroupDescribeApi.response)(VERSION)(reader)
      },
      true,
      true,
      (error, described) => {
        if (error === null && described !== undefined) resolve(described)
        else reject(error ?? new Error('the broker gave no answer'))
      },
    )
  })
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
