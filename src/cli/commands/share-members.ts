import type { Admin } from '@platformatic/kafka'
import { shareGroupDescribeApi } from '../../wire/kafka/messages/77-share-group-describe.ts'
import { describeShareGroupOffsetsApi } from '../../wire/kafka/messages/90-describe-share-group-offsets.ts'
import { askCoordinator } from './ask-coordinator.ts'

const VERSION = 1
/** The first that tells the lag. */
const OFFSETS_VERSION = 1

/** A member of a share group with the partitions that it reads, as they are shown. */
export interface ShareMemberPartitions {
  readonly member: string
  readonly client: string
  readonly host: string
  /** e.g. `jobs: 0,1`; others may read the same ones. */
  readonly partitions: string
}

/** ShareGroupDescribe (KIP-932). */
export async function membersOfShareGroup(
  admin: Admin,
  group: string,
): Promise<ShareMemberPartitions[]> {
  const request = { groupIds: [group], includeAuthorizedOperations: false }
  const answer = await askCoordinator(admin, group, shareGroupDescribeApi, VERSION, request)
  return (answer?.groups[0]?.members ?? []).map((member) => ({
    member: member.memberId,
    client: member.clientId,
    host: member.clientHost,
    partitions: member.assignment.topicPartitions
      .map(({ topicName, partitions }) => `${topicName}: ${partitions.join(',')}`)
      .join('; '),
  }))
}

/** Where a share group is in a partition. */
export interface ShareOffset {
  readonly topic: string
  readonly partition: number
  /** All before it is finished. */
  readonly startOffset: number
  /** Records that are not finished; -1: not known. */
  readonly lag: number
}

/** DescribeShareGroupOffsets, of the partitions that the group has read from. */
export async function offsetsOfShareGroup(admin: Admin, group: string): Promise<ShareOffset[]> {
  const request = { groups: [{ groupId: group, topics: null }] }
  const answer = await askCoordinator(
    admin,
    group,
    describeShareGroupOffsetsApi,
    OFFSETS_VERSION,
    request,
  )
  return (answer?.groups[0]?.topics ?? []).flatMap(({ topicName: topic, partitions }) =>
    partitions
      .filter(({ startOffset }) => startOffset >= 0)
      .map(({ partitionIndex: partition, startOffset, lag }) => {
        return { topic, partition, startOffset, lag }
      }),
  )
}
