/**
 * Kafka's configs that can mean nothing on one node with one data directory. They are taken, so that
 * files and tools need no editing, shown as read-only, and listed in docs/compatibility.md with the
 * reason. A name that ends in `*` stands for all that begin so.
 */
export const CONFIGS_WITHOUT_EFFECT: readonly string[] = [
  // There is one replica of everything. Kafka too counts no more of them than there are.
  'min.insync.replicas',
  'unclean.leader.election.*',
  'leader.replication.throttled.replicas',
  'follower.replication.throttled.replicas',
  'replica.*',
  'replication.quota.*',
  'num.replica.*',
  'auto.leader.rebalance.enable',
  'leader.imbalance.check.interval.seconds',
  'broker.heartbeat.interval.ms',
  'broker.session.timeout.ms',
  'initial.broker.registration.timeout.ms',
  'controlled.shutdown.enable',
  'controller.quorum.*',
  'controller.socket.timeout.ms',
  // There is one data directory, and it holds the metadata log.
  'alter.log.dirs.*',
  'log.dir.failure.timeout.ms',
  'metadata.log.dir',
  // There is no tiered storage.
  'remote.*',
  'log.remote.*',
  'local.retention.*',
  'log.local.retention.*',
  'follower.fetch.last.tiered.offset.enable',
  // There is one event loop.
  'background.threads',
  'num.io.threads',
  'num.network.threads',
  'num.recovery.threads.per.data.dir',
  'group.coordinator.threads',
  'group.coordinator.background.threads',
  'share.coordinator.threads',
  // What waits is held by what it waits for.
  'delete.records.purgatory.purge.interval.requests',
  'fetch.purgatory.purge.interval.requests',
  'producer.purgatory.purge.interval.requests',
  'share.fetch.purgatory.purge.interval.requests',
  // Log starts are on disk before DeleteRecords is answered; high watermarks are made from the log.
  'log.flush.start.offset.checkpoint.interval.ms',
  // No records are appended to the metadata log while it is idle.
  'metadata.max.idle.interval.ms',
]

const NAMES = new Set(CONFIGS_WITHOUT_EFFECT.filter((name) => !name.endsWith('*')))
const PREFIXES = CONFIGS_WITHOUT_EFFECT.filter((name) => name.endsWith('*')).map((name) =>
  name.slice(0, -1),
)

/** False for a config of a topic or a broker that changes nothing, whatever its value. */
export function hasEffect(name: string): boolean {
  return !NAMES.has(name) && !PREFIXES.some((prefix) => name.startsWith(prefix))
}
