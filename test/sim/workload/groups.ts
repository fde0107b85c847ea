import { ErrorCode } from '../../../src/base/error-code.ts'
import { NO_OFFSET } from '../ledger/ledger.ts'
import { expect } from '../world/sim-failure.ts'
import type { Session, Target } from './session.ts'

const GROUP_IDS = ['readers', 'writers', 'g']

export function commitOffset(session: Session): void {
  const { core, random, ledger, machine } = session
  const targets = session.targets()
  if (targets.length === 0) return
  const { topic, partition, index } = random.pick(targets)
  const groupId = random.pick(GROUP_IDS)
  if (core.groups.locate(groupId) !== ErrorCode.NONE) return
  const register = ledger.offsetsOf(groupId, topic.name, index)
  const offset = ledger.nextCommit()
  const isBusy = topic.isBusy
  register.ask(offset)
  machine.trace(() => `${groupId} commits ${offset} of ${topic.name}-${index}`)
  const request = {
    groupId,
    generationId: -1,
    memberId: '',
    groupInstanceId: null,
    retentionTimeMs: -1,
    knowsGroupIdNotFound: true,
    topics: [
      {
        name: topic.name,
        topicId: partition.topicId,
        partitions: [{ partition: index, offset, leaderEpoch: -1, metadata: null }],
      },
    ],
  }
  session.answered(
    core.groups.commitOffsets(request),
    ([result]) => {
      const errorCode = result?.partitions[0]?.errorCode
      machine.trace(() => `${groupId} commit of ${offset} is told ${errorCode}`)
      if (errorCode === ErrorCode.NONE && !isBusy) register.acknowledge(offset)
    },
    () => undefined,
  )
}

export function fetchOffset(session: Session, groupId: string, target: Target): void {
  const { core, ledger, machine } = session
  const { topic, index } = target
  const register = ledger.offsetsOf(groupId, topic.name, index)
  // The answer says what was committed when it was asked, however late it comes.
  const possibleThen = [...register.possible]
  const request = {
    groupId,
    topics: [{ name: topic.name, topicId: target.partition.topicId, partitions: [index] }],
    requireStable: true,
  }
  session.answered(
    core.groups.fetchOffsets(request),
    ({ errorCode, topics }) => {
      const offset = topics[0]?.partitions[0]?.offset
      machine.trace(() => `${groupId} has ${offset} of ${topic.name}-${index}, ${errorCode}`)
      if (errorCode !== ErrorCode.NONE || !topic.isLive) return
      expect(
        register.observe(offset ?? NO_OFFSET) || possibleThen.includes(offset ?? NO_OFFSET),
        () =>
          `${groupId} has offset ${offset} of ${topic.name}-${index}, ` +
          `not ${register.possible.join(' or ')}`,
      )
    },
    () => undefined,
  )
}

export function fetchAnyOffset(session: Session): void {
  const targets = session.targets()
  if (targets.length > 0)
    fetchOffset(session, session.random.pick(GROUP_IDS), session.random.pick(targets))
}

/** Everything that groups committed for the partitions that are there. */
export function fetchAllOffsets(session: Session): void {
  for (const target of session.targets())
    for (const groupId of GROUP_IDS) fetchOffset(session, groupId, target)
}
