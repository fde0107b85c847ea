/** One partition as one share group consumes it. */
export interface SharePartitionKey {
  readonly groupId: string
  readonly topicId: string
  readonly partition: number
}

/** By this key FindCoordinator and the share coordinator know it. */
export function coordinatorKeyOf({ groupId, topicId, partition }: SharePartitionKey): string {
  return `${groupId}:${topicId}:${partition}`
}

/** 128 bits, as Kafka prints them. */
const TOPIC_ID = /^[A-Za-z0-9_-]{22}$/
const PARTITION = /^[+-]?\d+$/

/** null when it is none; a group id may hold colons. Source: SharePartitionKey.getInstance. */
export function parseCoordinatorKey(key: string): SharePartitionKey | null {
  const words = key.split(':')
  const partition = words.pop() ?? ''
  const topicId = words.pop() ?? ''
  const groupId = words.join(':')
  if (groupId.trim() === '' || !TOPIC_ID.test(topicId) || !PARTITION.test(partition)) return null
  return { groupId, topicId, partition: Number(partition) }
}
