import { ErrorCode } from '../../../base/error-code.ts'
import { BrokerError } from '../../../base/errors.ts'
import { groupTombstone } from '../group-coordinator-records.ts'
import { ConsumerGroup } from './consumer-group.ts'
import type { ConsumerStep } from './consumer-step.ts'
import { adoptClassicGroup, upgraded } from './migration.ts'

/** A group to check a request against; only `adopt` makes it the group of that id. */
interface OpenedGroup {
  readonly group: ConsumerGroup
  adopt(): void
}

/**
 * The consumer group of that id. For a member that joins, a new one is made where there is none or
 * only an empty classic one, and a classic group with members is made into a consumer group.
 * @throws BrokerError GROUP_ID_NOT_FOUND
 */
export function openConsumerGroup(
  groupId: string,
  isJoin: boolean,
  step: ConsumerStep,
): OpenedGroup {
  const known = step.groups.group(groupId)
  if (known instanceof ConsumerGroup) return { group: known, adopt: () => {} }
  if (!isJoin || known?.type === 'share' || known?.type === 'streams') {
    const problem =
      known === undefined
        ? `Consumer group ${groupId} not found.`
        : `Group ${groupId} is not a consumer group.`
    throw new BrokerError(ErrorCode.GROUP_ID_NOT_FOUND, problem)
  }
  if (known === undefined || known.isEmpty) {
    const group = new ConsumerGroup(groupId)
    const adopt = (): void => {
      if (known !== undefined) step.turn.append(groupTombstone(groupId))
      step.groups.put(group)
    }
    return { group, adopt }
  }
  const group = upgraded(known, step)
  return { group, adopt: () => adoptClassicGroup(known, group, step) }
}
