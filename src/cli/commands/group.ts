import kafkajs, { type Admin } from 'kafkajs'
import { CommandFailure, parseCount, usageFailure } from '../command-failure.ts'
import { type OutputFormat, printDone, printJson, printRows } from '../output.ts'
import { type ClientOptions, requireTopic, withAdmin } from './kafka-client.ts'

interface CommonOptions extends ClientOptions {
  readonly output: OutputFormat
}

/** States in which nobody uses the group; Dead: it does not exist. */
const UNUSED_STATES: ReadonlySet<string> = new Set(['Empty', 'Dead'])

export async function listGroups(options: CommonOptions): Promise<void> {
  await withAdmin(options, async (admin) => {
    const { groups } = await admin.listGroups()
    const ids = groups.map(({ groupId }) => groupId).sort()
    const described = ids.length === 0 ? [] : (await admin.describeGroups(ids)).groups
    const rows = described.map(({ groupId, state, members, protocolType }) => ({
      group: groupId,
      state,
      members: members.length,
      type: protocolType,
    }))
    printRows(options.output, ['group', 'state', 'members', 'type'], rows)
  })
}

export async function describeGroup(group: string, options: CommonOptions): Promise<void> {
  await withAdmin(options, async (admin) => {
    const [described] = (await admin.describeGroups([group])).groups
    const offsets = await offsetsOf(admin, group)
    if ((described === undefined || described.state === 'Dead') && offsets.length === 0) {
      throw new CommandFailure(`there is no group ${group}`)
    }
    const members = (described?.members ?? []).map((member) => ({
      member: member.memberId,
      client: member.clientId,
      host: member.clientHost,
      partitions: partitionsOfMember(member.memberAssignment),
    }))
    if (options.output === 'json') {
      printJson({ group, state: described?.state ?? 'Dead', members, offsets })
      return
    }
    process.stdout.write(`${group}: ${described?.state ?? 'Dead'}\n\n`)
    printRows('table', ['member', 'client', 'host', 'partitions'], members)
    process.stdout.write('\n')
    printRows('table', ['topic', 'partition', 'committedOffset', 'endOffset', 'lag'], offsets)
  })
}

export async function deleteGroups(
  groups: readonly string[],
  options: CommonOptions,
): Promise<void> {
  await withAdmin(options, async (admin) => {
    try {
      await admin.deleteGroups([...groups])
    } catch (error) {
      if (!(error instanceof kafkajs.KafkaJSDeleteGroupsError)) throw error
      const reasons = error.groups.map(({ groupId, error: why }) => `${groupId}: ${why?.message}`)
      throw new CommandFailure(reasons.join('; '), undefined, { cause: error })
    }
    printDone(options.output, `deleted ${groups.join(', ')}`, { deleted: groups })
  })
}

export async function resetOffsets(
  group: string,
  topic: string,
  options: CommonOptions & { readonly to: string },
): Promise<void> {
  await withAdmin(options, async (admin) => {
    await requireTopic(admin, topic)
    const [described] = (await admin.describeGroups([group])).groups
    if (described !== undefined && !UNUSED_STATES.has(described.state)) {
      throw new CommandFailure(
        `the group ${group} has members (${described.state}): stop them before its offsets are set`,
      )
    }
    const partitions = await targetOffsets(admin, topic, options.to)
    await admin.setOffsets({ groupId: group, topic, partitions })
    const rows = partitions.map(({ partition, offset }) => ({
      topic,
      partition,
      committedOffset: Number(offset),
    }))
    printRows(options.output, ['topic', 'partition', 'committedOffset'], rows)
  })
}

interface OffsetRow {
  readonly topic: string
  readonly partition: number
  readonly committedOffset: number
  readonly endOffset: number
  readonly lag: number
  readonly [column: string]: string | number
}

async function offsetsOf(admin: Admin, group: string): Promise<OffsetRow[]> {
  const rows: OffsetRow[] = []
  for (const { topic, partitions } of await admin.fetchOffsets({ groupId: group })) {
    const committed = partitions.filter(({ offset }) => Number(offset) >= 0)
    if (committed.length === 0) continue
    const ends = new Map(
      (await admin.fetchTopicOffsets(topic)).map(({ partition, high }) => [
        partition,
        Number(high),
      ]),
    )
    for (const { partition, offset } of committed) {
      const committedOffset = Number(offset)
      const endOffset = ends.get(partition) ?? committedOffset
      rows.push({ topic, partition, committedOffset, endOffset, lag: endOffset - committedOffset })
    }
  }
  return rows.sort((a, b) => a.topic.localeCompare(b.topic) || a.partition - b.partition)
}

/** e.g. `orders: 0,1`; another protocol's assignment can't be read. */
function partitionsOfMember(assignment: Buffer): string {
  if (assignment.length === 0) return ''
  const decoded = kafkajs.AssignerProtocol.MemberAssignment.decode(assignment)
  return Object.entries(decoded?.assignment ?? {})
    .map(([topic, partitions]) => `${topic}: ${partitions.join(',')}`)
    .join('; ')
}

async function targetOffsets(
  admin: Admin,
  topic: string,
  to: string,
): Promise<{ partition: number; offset: string }[]> {
  const ends = await admin.fetchTopicOffsets(topic)
  if (to === 'earliest') return ends.map(({ partition, low }) => ({ partition, offset: low }))
  if (to === 'latest') return ends.map(({ partition, high }) => ({ partition, offset: high }))
  if (/^\d+$/.test(to)) {
    const wanted = parseCount(to, '--to')
    return ends.map(({ partition, low, high }) => {
      const offset = Math.min(Math.max(wanted, Number(low)), Number(high))
      return { partition, offset: String(offset) }
    })
  }
  const timestampMs = Date.parse(to)
  if (Number.isNaN(timestampMs)) {
    throw usageFailure(`--to "${to}" is not earliest, latest, an offset or a time`)
  }
  const found = await admin.fetchTopicOffsetsByTimestamp(topic, timestampMs)
  return found.map(({ partition, offset }) => ({ partition, offset }))
}
