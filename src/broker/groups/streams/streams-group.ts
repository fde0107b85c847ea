import type { ConfiguredTopology } from './configured-topology.ts'
import { isReconciledTo, type StreamsGroupMember } from './streams-group-member.ts'
import { readerOf, requiredTopics, type StreamsTopology } from './streams-topology.ts'
import { type AnyTasks, eachTask, NO_TASKS, type OwnedTasks, type Tasks } from './tasks.ts'

/** The states of a streams group, as StreamsGroupDescribe and ListGroups name them. */
type StreamsGroupState = 'Empty' | 'NotReady' | 'Assigning' | 'Reconciling' | 'Stable'

/** Offsets by subtopology id and partition, as a member reported them. */
export type OffsetsByTask = ReadonlyMap<string, ReadonlyMap<number, number>>

/** How far a member is with the state on its disk. Not in the records. */
export interface MemberTaskOffsets {
  readonly offsets: OffsetsByTask
  readonly endOffsets: OffsetsByTask
}

export const NO_TASK_OFFSETS: MemberTaskOffsets = { offsets: new Map(), endOffsets: new Map() }

/** Both epochs of a group that has no records of its own yet. */
const FIRST_EPOCH = 1
/** No topology was found fit; and no description of one is stored. */
export const NO_TOPOLOGY_EPOCH = -1

/** Which processes have a task, by subtopology id and partition. */
class TaskProcesses {
  readonly #byTask = new Map<string, Map<number, string[]>>()

  of(subtopologyId: string, partition: number): readonly string[] {
    return this.#byTask.get(subtopologyId)?.get(partition) ?? []
  }

  add(tasks: AnyTasks, processId: string): void {
    for (const [subtopologyId, partition] of eachTask(tasks)) {
      const partitions = this.#byTask.get(subtopologyId) ?? new Map<number, string[]>()
      partitions.set(partition, [...(partitions.get(partition) ?? []), processId])
      this.#byTask.set(subtopologyId, partitions)
    }
  }

  /** Takes the process off once: another member of it may have the task too. */
  remove(tasks: AnyTasks, processId: string): void {
    for (const [subtopologyId, partition] of eachTask(tasks)) {
      const partitions = this.#byTask.get(subtopologyId)
      const processes = [...(partitions?.get(partition) ?? [])]
      const index = processes.indexOf(processId)
      if (index >= 0) processes.splice(index, 1)
      if (processes.length > 0) partitions?.set(partition, processes)
      else partitions?.delete(partition)
      if (partitions?.size === 0) this.#byTask.delete(subtopologyId)
    }
  }
}

/**
 * A group of the streams protocol (KIP-1071): the topology of an application, its members, and which
 * tasks each shall have (the target) and has. Pure state; the same calls rebuild it from its records.
 */
export class StreamsGroup {
  readonly type = 'streams'
  readonly protocolType = 'streams'
  readonly usesConsumerProtocol = true
  readonly groupId: string
  /** Goes up when a new target assignment is needed. */
  groupEpoch = FIRST_EPOCH
  /** Of the topics of the topology, as they were at the group epoch. */
  metadataHash = 0n
  /** Of the topology whose topics were all there at the group epoch; -1: they were not. */
  validatedTopologyEpoch = NO_TOPOLOGY_EPOCH
  /** Kept for Kafka, whose plugins may store descriptions of topologies (KIP-1331). */
  storedDescriptionEpoch = NO_TOPOLOGY_EPOCH
  failedDescriptionEpoch = NO_TOPOLOGY_EPOCH
  /** Settings that the target was made with. */
  assignmentConfigs: ReadonlyMap<string, string> = new Map()
  /** The group epoch that the target assignment was made for. */
  assignmentEpoch = FIRST_EPOCH
  assignmentTimestampMs = 0
  topology: StreamsTopology | null = null
  /** From here on not in the records. null: the topics have to be looked at. */
  configured: ConfiguredTopology | null = null
  metadataRefreshDeadlineMs = 0
  /** A new group waits for more members before tasks are given out. */
  isInitialDelayActive = false
  /** Goes up when what members are told of endpoints changed. */
  endpointEpoch = 0
  readonly taskOffsets = new Map<string, MemberTaskOffsets>()
  #shutdownRequester: string | null = null
  readonly #members = new Map<string, StreamsGroupMember>()
  readonly #targets = new Map<string, Tasks>()
  /** Member id of each static member. */
  readonly #staticMembers = new Map<string, string>()
  readonly #processes = {
    active: new TaskProcesses(),
    standby: new TaskProcesses(),
    warmup: new TaskProcesses(),
  }

  constructor(groupId: string) {
    this.groupId = groupId
  }

  get isEmpty(): boolean {
    return this.#members.size === 0
  }

  get state(): StreamsGroupState {
    if (this.isEmpty) return 'Empty'
    if (this.topology?.epoch !== this.validatedTopologyEpoch) return 'NotReady'
    if (this.groupEpoch > this.assignmentEpoch) return 'Assigning'
    for (const member of this.#members.values()) {
      if (!isReconciledTo(member, this.assignmentEpoch)) return 'Reconciling'
    }
    return 'Stable'
  }

  get members(): ReadonlyMap<string, StreamsGroupMember> {
    return this.#members
  }

  get targets(): ReadonlyMap<string, Tasks> {
    return this.#targets
  }

  target(memberId: string): Tasks {
    return this.#targets.get(memberId) ?? NO_TASKS
  }

  /** The member that asked the whole application to stop, until the group is empty. */
  get shutdownRequester(): string | null {
    return this.#shutdownRequester
  }

  /** The first that asks is named. */
  requestShutdown(memberId: string): void {
    if (!this.isEmpty) this.#shutdownRequester ??= memberId
  }

  staticMember(instanceId: string | null): StreamsGroupMember | undefined {
    if (instanceId === null) return undefined
    return this.#members.get(this.#staticMembers.get(instanceId) ?? '')
  }

  /** The processes that have a task, also while they have to give it up; mostly one. */
  processesOf(role: keyof Tasks, subtopologyId: string, partition: number): readonly string[] {
    return this.#processes[role].of(subtopologyId, partition)
  }

  /** Adds a member, or puts it in the place of what it was. */
  putMember(member: StreamsGroupMember): void {
    const old = this.#members.get(member.memberId)
    if (old !== undefined) this.#forget(old)
    this.#members.set(member.memberId, member)
    if (member.instanceId !== null) this.#staticMembers.set(member.instanceId, member.memberId)
    for (const tasks of [member.assigned, member.pendingRevocation]) {
      this.#eachRole(tasks, (processes, ids) => processes.add(ids, member.processId))
    }
  }

  removeMember(memberId: string): void {
    const member = this.#members.get(memberId)
    if (member === undefined) return
    this.#forget(member)
    this.#members.delete(memberId)
    this.taskOffsets.delete(memberId)
    if (this.isEmpty) this.#shutdownRequester = null
  }

  #forget(member: StreamsGroupMember): void {
    const { memberId, instanceId } = member
    if (instanceId !== null && this.#staticMembers.get(instanceId) === memberId) {
      this.#staticMembers.delete(instanceId)
    }
    for (const tasks of [member.assigned, member.pendingRevocation]) {
      this.#eachRole(tasks, (processes, ids) => processes.remove(ids, member.processId))
    }
  }

  #eachRole(tasks: OwnedTasks, run: (processes: TaskProcesses, ids: AnyTasks) => void): void {
    run(this.#processes.active, tasks.active)
    run(this.#processes.standby, tasks.standby)
    run(this.#processes.warmup, tasks.warmup)
  }

  setTarget(memberId: string, tasks: Tasks): void {
    this.#targets.set(memberId, tasks)
  }

  removeTarget(memberId: string): void {
    this.#targets.delete(memberId)
  }

  /** Offsets of topics that members read may not be deleted; an empty group reads none. */
  isSubscribedTo(topic: string): boolean {
    if (this.isEmpty || this.topology === null) return false
    return readerOf(this.topology, topic) !== undefined
  }

  /** True when the topology depends on a topic. */
  needsTopic(topic: string): boolean {
    return this.topology !== null && requiredTopics(this.topology).has(topic)
  }
}
