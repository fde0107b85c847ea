import type { FileSystem } from '../../ports/file-system.ts'
import type { Diagnosis } from '../diagnosis-entry.ts'
import { type DirectoryInspection, inspectDirectory } from './directory-inspection.ts'

/**
 * What a start of Spool would take over from a data directory, and one of Apache Kafka; and what
 * stands in the way, both ways.
 * @throws ConfigError, StorageError as `inspectDirectory`
 */
export async function diagnoseExchange(fs: FileSystem, dataDir: string): Promise<Diagnosis[]> {
  const found = await inspectDirectory({ fs, dataDir, partitions: 'always' })
  if (found === null) return [{ check: 'content', state: 'ok', detail: 'none: a new directory' }]
  return [
    { check: 'owner', state: 'ok', detail: ownerText(found) },
    { check: 'metadata', state: 'ok', detail: metadataText(found) },
    { check: 'topics', state: 'ok', detail: topicsText(found) },
    ...keptDiagnoses(found),
    ...found.warnings.map((detail): Diagnosis => ({ check: 'content', state: 'warning', detail })),
    ...verdict('start of Spool', 'problem', found.problems, spoolText(found)),
    // Who never goes back has no problem.
    ...verdict('start of Kafka', 'warning', found.kafkaProblems, kafkaText(found)),
  ]
}

function ownerText({ owner, lastRunBy, isCleanlyStopped }: DirectoryInspection): string {
  const how = isCleanlyStopped ? 'stopped cleanly' : 'runs, or did not stop cleanly'
  return `cluster ${owner.clusterId}, node ${owner.nodeId}; last run by ${lastRunBy}, ${how}`
}

function metadataText({ state, snapshot }: DirectoryInspection): string {
  const from = snapshot === null ? '' : ` from ${snapshot}`
  return `metadata.version ${state.metadataVersion}, up to offset ${state.image.offset}${from}`
}

function topicsText({ state }: DirectoryInspection): string {
  const { image } = state
  let partitionCount = 0
  for (const { partitions } of image.topics.values()) partitionCount += partitions.length
  let configCount = 0
  for (const { values } of image.allConfigs()) configCount += values.size
  return `${image.topics.size} with ${partitionCount} partitions; ${configCount} configs`
}

/** What Spool carries along for Kafka. */
function keptDiagnoses({ state }: DirectoryInspection): Diagnosis[] {
  const { accessControlEntries, scramCredentials, clientQuotas, delegationTokens } =
    state.kept.counts
  const kinds = [
    [accessControlEntries, 'ACLs'],
    [scramCredentials, 'SCRAM credentials'],
    [clientQuotas, 'client quotas'],
    [delegationTokens, 'delegation tokens'],
  ] as const
  const kept = kinds.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`)
  if (kept.length === 0) return []
  const detail = `${kept.join(', ')}: kept for Kafka, but this version does not enforce them`
  return [{ check: 'security', state: 'warning', detail }]
}

function verdict(
  check: string,
  state: Diagnosis['state'],
  problems: readonly string[],
  good: string,
): Diagnosis[] {
  if (problems.length === 0) return [{ check, state: 'ok', detail: good }]
  return problems.map((detail) => ({ check, state, detail }))
}

function spoolText({ owner, lastRunBy }: DirectoryInspection): string {
  const what = lastRunBy === 'Spool' ? 'goes on' : 'takes everything over'
  return `${what} as node.id=${owner.nodeId}`
}

function kafkaText({ owner, state }: DirectoryInspection): string {
  const voters =
    state.voters.kraftVersion === 0
      ? 'controller.quorum.voters'
      : 'controller.quorum.voters or controller.quorum.bootstrap.servers'
  return (
    `takes everything over with node.id=${owner.nodeId}, ` +
    `process.roles=broker,controller and ${voters}`
  )
}
