import kafkajs, { type Admin } from 'kafkajs'
import { CommandFailure, parseCount, usageFailure } from '../command-failure.ts'
import { type OutputFormat, printDone, printJson, printRows } from '../output.ts'
import { commitOffsets, readGroups, type ShownGroup } from './group-descriptions.ts'
import { type ClientOptions, requireTopic, withAdmin } from './kafka-client.ts'
import { withSecondAdmin } from './second-client.ts'
import { offsetsOfShareGroup } from './share-members.ts'

interface CommonOptions extends ClientOptions {
  readonly output: OutputFormat
}

/** Error codes of Kafka. */
const NON_EMPTY_GROUP = 68
const GROUP_ID_NOT_FOUND = 69

/** What `Date.parse` reads without guessing; it takes -5 for a month. */
const ISO_TIME = /^\d{4}-\d{2}-\d{2}(?:T|$)/

export async function listGroups(options: CommonOptions): Promise<void> {
  await withAdmin(options, async (admin) => {
    const rows = (await readGroups(options, admin)).map(({ group, type, state, members }) => ({
      group,
      type,
      state,
      members: members.length,
    }))
    printRows(options.output, ['group', 'type', 'state', 'members'], rows)
  })
}

export async function describeGroup(group: string, options: CommonOptions): Promise<void> {
  await withAdmin(options, async (admin) => {
    const { type, state, members } = await requireGroup(group, options, admin)
    const offsets = await (type === 'share'
      ? shareOffsetsOf(options, admin, group)
      : offsetsOf(admin, group))
    if (options.output === 'json') {
      printJson({ group, type, state, members, offsets })
      return
    }
    process.stdout.write(`${group}: ${state}, ${type} protocol\n\n`)
    printRows('table', ['member', 'client', 'host', 'partitions'], members)
    process.stdout.write('\n')
    printRows('table', ['topic', 'partition', 'committedOffset', 'endOffset', 'lag'], offsets)
  })
}

async function requireGroup(
  group: string,
  options: CommonOptions,
  admin: Admin,
): Promise<ShownGroup> {
  const found = (await readGroups(options, admin)).find((known) => known.group === group)
  if (found === undefined) throw new CommandFailure(`there is no group ${group}`)
  return found
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
      const reasons = error.groups.map(({ groupId, errorCode, error: why }) => {
        if (errorCode === GROUP_ID_NOT_FOUND) return `there is no group ${groupId}`
        if (errorCode === NON_EMPTY_GROUP)
          return `the group ${groupId} has members: stop them first`
        return `${groupId}: ${why?.message}`
      })
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
    const known = (await readGroups(options, admin)).find((each) => each.group === group)
    if (known !== undefined && known.state !== 'Empty' && known.state !== 'Dead') {
      throw new CommandFailure(
        `the group ${group} has members (${known.state}): stop them before its offsets are set`,
      )
    }
    const partitions = await targetOffsets(admin, topic, options.to)
    await commitOffsets(options, group, topic, partitions)
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

/** What is finished in order counts as committed. */
async function shareOffsetsOf(
  options: ClientOptions,
  admin: Admin,
  group: string,
): Promise<OffsetRow[]> {
  const read = await withSecondAdmin(options, (second) => offsetsOfShareGroup(second, group))
  const rows: OffsetRow[] = []
  for (const { topic, partition, startOffset, lag } of read) {
    const ends = await admin.fetchTopicOffsets(topic)
    const end = ends.find((one) => one.partition === partition)
    const endOffset = Number(end?.high ?? startOffset)
    rows.push({ topic, partition, committedOffset: startOffset, endOffset, lag })
  }
  return rows.sort((a, b) => a.topic.localeCompare(b.topic) || a.partition - b.partition)
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
  if (!ISO_TIME.test(to) || Number.isNaN(timestampMs)) {
    throw usageFailure(`--to "${to}" is not earliest, latest, an offset or a time`)
  }
  const found = await admin.fetchTopicOffsetsByTimestamp(topic, timestampMs)
  return found.map(({ partition, offset }) => ({ partition, offset }))
}
