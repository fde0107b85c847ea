import {
  type Admin,
  Connection,
  consumerGroupDescribeV0,
  FindCoordinatorKeyTypes,
} from '@platformatic/kafka'
import kafkajs, { type Admin as KafkajsAdmin } from 'kafkajs'
import type { ClientOptions } from './kafka-client.ts'
import { withSecondAdmin } from './second-client.ts'
import { membersOfShareGroup, type ShareMemberPartitions } from './share-members.ts'
import { membersOfStreamsGroup, type StreamsMemberTasks } from './streams-members.ts'

type ConsumerGroupMember = Awaited<
  ReturnType<typeof consumerGroupDescribeV0.api.async>
>['groups'][number]['members'][number]

/** A new broker makes its topic for groups with the first question for a coordinator. */
const NEW_COORDINATOR_RETRIES = 10

/** A member as it is shown. */
export interface ShownMember {
  readonly member: string
  readonly client: string
  readonly host: string
  /** e.g. `orders: 0,1` */
  readonly partitions: string
  readonly [column: string]: string
}

export interface ShownGroup {
  readonly group: string
  readonly type: string
  readonly state: string
  readonly members: readonly ShownMember[]
}

/**
 * All groups of the cluster by their names, whatever their protocol. kafkajs knows only the classic one: to
 * it other groups are dead.
 */
export async function readGroups(
  options: ClientOptions,
  kafkajsAdmin: KafkajsAdmin,
): Promise<ShownGroup[]> {
  return await withSecondAdmin(options, async (admin) => {
    const listed = await admin.listGroups({ types: ['classic', 'consumer', 'share', 'streams'] })
    const groups: ShownGroup[] = []
    for (const { id, state, groupType } of listed.values()) {
      const type = (groupType ?? 'classic').toLowerCase()
      groups.push({
        group: id,
        type,
        state,
        members: await membersOf(type, id, admin, kafkajsAdmin),
      })
    }
    return groups.sort((a, b) => (a.group < b.group ? -1 : 1))
  })
}

/** Commits offsets for a group without members; a group that is not there is made. */
export async function commitOffsets(
  options: ClientOptions,
  groupId: string,
  topic: string,
  partitions: readonly { readonly partition: number; readonly offset: string }[],
): Promise<void> {
  const partitionOffsets = partitions.map(({ partition, offset }) => ({
    partition,
    offset: BigInt(offset),
  }))
  const topics = [{ name: topic, partitionOffsets }]
  const commit = (admin: Admin): Promise<void> =>
    admin.alterConsumerGroupOffsets({ groupId, topics })
  await withSecondAdmin(options, commit, NEW_COORDINATOR_RETRIES)
}

async function membersOf(
  type: string,
  group: string,
  admin: Admin,
  kafkajsAdmin: KafkajsAdmin,
): Promise<ShownMember[]> {
  if (type === 'share') return (await membersOfShareGroup(admin, group)).map(asRow)
  if (type === 'consumer') return (await membersOfConsumerGroup(admin, group)).map(shownMember)
  if (type === 'streams') return (await membersOfStreamsGroup(admin, group)).map(asRow)
  const [described] = (await kafkajsAdmin.describeGroups([group])).groups
  return (described?.members ?? []).map((member) => ({
    member: member.memberId,
    client: member.clientId,
    host: member.clientHost,
    partitions: partitionsOfClassicMember(member.memberAssignment),
  }))
}

/** ConsumerGroupDescribe (KIP-848), which the library has no client method for. */
async function membersOfConsumerGroup(
  admin: Admin,
  group: string,
): Promise<readonly ConsumerGroupMember[]> {
  const keyType = FindCoordinatorKeyTypes.GROUP
  const [coordinator] = await admin.findCoordinator({ keyType, keys: [group] })
  if (coordinator === undefined) return []
  const connection = new Connection('spool-cli')
  await connection.connect(coordinator.host, coordinator.port)
  try {
    const { groups } = await consumerGroupDescribeV0.api.async(connection, [group], false)
    return groups[0]?.members ?? []
  } finally {
    await connection.close()
  }
}

function shownMember(member: ConsumerGroupMember): ShownMember {
  return {
    member: member.memberId,
    client: member.clientId,
    host: member.clientHost,
    partitions: member.assignment.topicPartitions
      .map(({ topicName, partitions }) => `${topicName}: ${partitions.join(',')}`)
      .join('; '),
  }
}

const asRow = (member: StreamsMemberTasks | ShareMemberPartitions): ShownMember => ({ ...member })

/** Another protocol's assignment can't be read. */
function partitionsOfClassicMember(assignment: Buffer): string {
  if (assignment.length === 0) return ''
  const decoded = kafkajs.AssignerProtocol.MemberAssignment.decode(assignment)
  return Object.entries(decoded?.assignment ?? {})
    .map(([topic, partitions]) => `${topic}: ${partitions.join(',')}`)
    .join('; ')
}
