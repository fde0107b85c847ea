import type { AssignmentRequest, GroupAssignment } from './partition-assignor.ts'
import { assignHeterogeneously } from './uniform-heterogeneous.ts'
import { assignHomogeneously } from './uniform-homogeneous.ts'

/**
 * Gives all members the same number of partitions, give or take one, and moves as few as it can
 * from what they have. Source: UniformAssignor of Kafka 4.4.
 */
export function assignUniformly(request: AssignmentRequest): GroupAssignment {
  if (request.members.length === 0) return new Map()
  return request.isHomogeneous ? assignHomogeneously(request) : assignHeterogeneously(request)
}
