import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  DEFAULT_JETSTREAM,
  type JetStreamSettings,
} from '../../frontends/nats/jetstream/jetstream-settings.ts'
import type { ConfReader } from './conf-reader.ts'
import { isConfMap } from './conf-value.ts'

interface JetStreamOptions {
  /** Where the streams are; null: JetStream is off. */
  readonly storeDir: string | null
  readonly settings: JetStreamSettings
}

const UNITS = 'KMGT'
const NANOSECONDS_A_MS = 1_000_000

/** Source: parseJetStream of nats-server. */
export function readJetStream(
  conf: ConfReader,
  flags: { readonly jetStream?: boolean; readonly storeDir?: string },
): JetStreamOptions {
  const value = conf.value('jetstream')
  const fallback = join(tmpdir(), 'nats', 'jetstream')
  const isOn = value === true || (typeof value === 'string' && /^enabled?$/i.test(value))
  if (!isConfMap(value)) {
    const storeDir = isOn || flags.jetStream === true ? (flags.storeDir ?? fallback) : null
    return { storeDir, settings: DEFAULT_JETSTREAM }
  }
  const block = conf.block('jetstream') as ConfReader
  const storeDir = block.text('store_dir', 'storedir', 'store')
  const isEnabled = block.flag('enabled', 'enable') ?? true
  const settings = {
    ...DEFAULT_JETSTREAM,
    domain: domainOf(block),
    maxMemory: sizeOf(block, 'max_memory_store', 'max_mem_store', 'max_mem'),
    maxStorage: sizeOf(block, 'max_file_store', 'max_file'),
    ...readLimits(block.block('limits')),
  }
  // What is left is of a cluster, or of how nats-server keeps its files.
  for (const name of block.names) block.value(name.toLowerCase())
  return {
    storeDir: isEnabled ? join(flags.storeDir ?? storeDir ?? fallback, 'jetstream') : null,
    settings,
  }
}

/**
 * Bytes, as a number or as a text such as `8M`; -1: nothing is said of them.
 * Source: getStorageSize of nats-server.
 */
function sizeOf(block: ConfReader, ...names: readonly string[]): number {
  const value = block.value(...names)
  if (typeof value !== 'string') return block.integer(...names) ?? -1
  if (value === '') return 0
  const [, digits = '', unit = ''] = /^(-?\d+)([KMGT])$/.exec(value) ?? []
  if (unit === '') block.fail(names, 'must be a size such as 8M')
  return Number(digits) * 1024 ** (UNITS.indexOf(unit) + 1)
}

/** It is a token of subjects. Source: validateOptions of nats-server. */
function domainOf(block: ConfReader): string {
  const domain = block.text('domain', 'js_domain') ?? ''
  if (/[.*>\s]/.test(domain)) block.fail(['domain'], 'must be one token of a subject')
  if (domain === 'API') block.fail(['domain'], 'can not be API')
  return domain
}

function readLimits(block: ConfReader | undefined): Partial<JetStreamSettings> {
  if (block === undefined) return {}
  const windowMs = block.durationMs('duplicate_window') ?? 0
  const limits = {
    maxAckPending: Math.max(0, block.integer('max_ack_pending') ?? 0),
    maxRequestBatch: Math.max(0, block.integer('max_request_batch') ?? 0),
    maxDuplicateWindow: windowMs * NANOSECONDS_A_MS,
  }
  // Of streams with replicas, and of the queue of requests between servers.
  for (const name of block.names) block.value(name.toLowerCase())
  return limits
}
