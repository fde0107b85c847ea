import type { GroupCoordinator } from '../../../broker/groups/group-coordinator.ts'
import { heartbeatApi } from '../../../wire/kafka/messages/12-heartbeat.ts'
import { defineHandler, type KafkaHandler } from '../handler.ts'

export interface HeartbeatServices {
  readonly groups: Pick<GroupCoordinator, 'heartbeat'>
}

/** Heartbeat of a classic group member: also how it learns of a rebalance. */
export function heartbeatHandler({ groups }: HeartbeatServices): KafkaHandler {
  return defineHandler(heartbeatApi, async (request) => ({
    errorCode: await groups.heartbeat(request),
  }))
}
