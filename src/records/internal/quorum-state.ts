import { ProtocolError } from '../../base/errors.ts'
import { ZERO_UUID } from '../../schema/reader.ts'

/**
 * The election state of a KRaft node, kept in `__cluster_metadata-0/quorum-state` as JSON.
 * Source: QuorumStateData and FileQuorumStateStore, kafka-raft 4.4 (KIP-595, KIP-853).
 */
export interface QuorumState {
  /** -1: none known. */
  readonly leaderId: number
  readonly leaderEpoch: number
  /** Whom this node voted for in `leaderEpoch`; -1: nobody. */
  readonly votedId: number
  /** Base64url, as Kafka prints it; all zero when not known. */
  readonly votedDirectoryId: string
}

const DATA_VERSION = 1

/** The text in data version 1, which Kafka 4.4 writes; no newline at the end. */
export function formatQuorumState(state: QuorumState): string {
  const { leaderId, leaderEpoch, votedId, votedDirectoryId } = state
  const data = { leaderId, leaderEpoch, votedId, votedDirectoryId, data_version: DATA_VERSION }
  return JSON.stringify(data)
}

/**
 * Reads data versions 0 (which has no directory, and lists the voters) and 1.
 * @throws ProtocolError when the text is no quorum state
 */
export function parseQuorumState(text: string): QuorumState {
  const data = parseObject(text)
  const version = integer(data, 'data_version')
  if (version < 0 || version > DATA_VERSION)
    throw new ProtocolError(`quorum-state has data_version 0 or 1, not ${version}`)
  return {
    leaderId: integer(data, 'leaderId'),
    leaderEpoch: integer(data, 'leaderEpoch'),
    votedId: integer(data, 'votedId'),
    votedDirectoryId: version === 0 ? ZERO_UUID : text22(data, 'votedDirectoryId'),
  }
}

type Json = Readonly<Record<string, unknown>>

function parseObject(text: string): Json {
  let data: unknown
  try {
    data = JSON.parse(text)
  } catch (cause) {
    throw new ProtocolError('quorum-state is not JSON', { cause })
  }
  if (typeof data !== 'object' || data === null)
    throw new ProtocolError('quorum-state is not a JSON object')
  return data as Json
}

function integer(data: Json, name: string): number {
  const value = data[name]
  if (typeof value !== 'number' || !Number.isInteger(value))
    throw new ProtocolError(`quorum-state has no integer ${name}`)
  return value
}

function text22(data: Json, name: string): string {
  const value = data[name]
  if (typeof value !== 'string' || !/^[\w-]{22}$/.test(value))
    throw new ProtocolError(`quorum-state has no uuid ${name}`)
  return value
}
