import { errorName } from '../../../../../src/base/error-code.ts'
import type {
  DescribedStreamsGroup,
  DescribedTasks,
  EndpointPartitions,
  StreamsHeartbeatResult,
} from '../../../../../src/broker/groups/streams/streams-group-requests.ts'
import { StatusCode } from '../../../../../src/broker/groups/streams/streams-status.ts'
import type { TaskList } from '../../../../../src/broker/groups/streams/tasks.ts'
import { decodeOffsetsRecord } from '../../../../../src/records/internal/offsets-records.ts'
import type { LoggedRecord } from '../memory-coordinator-log.ts'

/** What a heartbeat was answered. */
export function textOfResult(name: string, result: StreamsHeartbeatResult): string[] {
  const { errorCode, errorMessage, memberEpoch, tasks, status, endpoints } = result
  if (errorCode !== 0) return [`${name}: ${errorName(errorCode)} ${errorMessage ?? ''}`]
  const told = tasks === null ? 'as before' : textOfRoles(tasks)
  const problems = status.map(
    ({ statusCode, statusDetail }) => `  ${nameOfStatus(statusCode)}: ${statusDetail}`,
  )
  const places = (endpoints ?? []).map(textOfEndpoint)
  return [`${name}: epoch=${memberEpoch} ${told}`, ...problems, ...places]
}

function nameOfStatus(code: StatusCode): string {
  return Object.entries(StatusCode).find(([, value]) => value === code)?.[0] ?? String(code)
}

function textOfEndpoint(one: EndpointPartitions): string {
  const { host, port } = one.userEndpoint
  const topics = (list: EndpointPartitions['activePartitions']): string =>
    list.map(({ topic, partitions }) => `${topic}:${partitions}`).join(' ') || 'nothing'
  return `  at ${host}:${port}: ${topics(one.activePartitions)} | ${topics(one.standbyPartitions)}`
}

const textOfTasks = (lists: readonly TaskList[]): string =>
  lists.map(({ subtopologyId, partitions }) => `${subtopologyId}:${partitions}`).join(';')

function textOfRoles({ active, standby, warmup }: DescribedTasks): string {
  const roles = Object.entries({ active, standby, warmup })
    .filter(([, lists]) => lists.length > 0)
    .map(([role, lists]) => `${role}=${textOfTasks(lists)}`)
  return roles.join(' ') || 'nothing'
}

/** What a description says. */
export function linesOfGroup(group: DescribedStreamsGroup): string[] {
  const { groupId, errorCode, errorMessage, state, groupEpoch, assignmentEpoch } = group
  if (errorCode !== 0) return [`${groupId}: ${errorName(errorCode)} ${errorMessage ?? ''}`]
  const members = group.members.map((member) => {
    const has = textOfRoles(member.assignment)
    const target = textOfRoles(member.targetAssignment)
    return `  ${member.memberId} epoch=${member.memberEpoch} has ${has} target ${target}`
  })
  const topics = (group.topology?.subtopologies ?? []).map((one) => {
    const internal = [...one.repartitionSourceTopics, ...one.stateChangelogTopics]
    const counts = internal.map((topic) => `${topic.name}:${topic.partitions}`)
    return `  subtopology ${one.subtopologyId}: ${one.sourceTopics.join(',')} ${counts.join(' ')}`
  })
  const epochs = `epoch=${groupEpoch} assignment=${assignmentEpoch} ${group.assignorName}`
  const topology = `topology=${group.topology?.epoch}`
  return [`${groupId}: ${state} ${epochs} ${topology}`, ...topics, ...members]
}

/** Without what no reader asks about: hashes, times, who the client is. */
const HIDDEN = new Set([
  ...['metadataHash', 'assignmentTimestamp', 'clientId', 'clientHost', 'timestamp'],
  ...['commitTimestamp', 'expireTimestamp', 'metadata', 'leaderEpoch', 'topicConfigs'],
  ...['storedDescriptionTopologyEpoch', 'failedDescriptionTopologyEpoch', 'replicationFactor'],
  ...['protocolType', 'subscription', 'currentStateTimestamp'],
])

export function textOfRecord({ key, value }: LoggedRecord): string {
  const record = decodeOffsetsRecord(key, value)
  if (record === undefined) return 'another record'
  const name = `${record.name.replace('StreamsGroup', '')} ${Object.values(record.key).join(' ')}`
  if (record.value === null) return `${name} gone`
  return `${name} ${JSON.stringify(withoutHidden(record.value)).replaceAll('"', '')}`
}

function withoutHidden(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return `${value.length} bytes`
  if (Array.isArray(value)) return value.map(withoutHidden)
  if (typeof value === 'string') return value.replace(/A{5,}$/, '')
  if (typeof value !== 'object' || value === null) return value
  const shown = Object.entries(value).filter(
    ([name, inner]) => !(HIDDEN.has(name) || inner === null || isEmptyList(inner)),
  )
  return Object.fromEntries(shown.map(([name, inner]) => [name, withoutHidden(inner)]))
}

const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0
