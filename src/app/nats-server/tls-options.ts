import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { TlsSettings } from '../../adapters/tls-sockets.ts'
import { ConfigError } from '../../base/errors.ts'
import type { ConfReader } from './conf-reader.ts'

/** Source: TLS_TIMEOUT of nats-server. */
const HANDSHAKE_TIMEOUT_MS = 2000

/** What is part of nats-server's `tls` and chosen by Node here. */
const PASSED_OVER = ['cipher_suites', 'curve_preferences', 'insecure', 'connection_rate_limit']

const VERSIONS = ['1.2', '1.3'] as const

/**
 * Reads a `tls` block with the files that it names.
 * @throws ConfigError for a file that can't be read, and for what is not served
 */
export function readTls(conf: ConfReader): TlsSettings | null {
  const block = conf.block('tls')
  if (block === undefined) return null
  const certificate = fileOf(block, 'cert_file')
  const key = fileOf(block, 'key_file')
  const clientAuthority = fileOf(block, 'ca_file')
  const verifiesClients = block.flag('verify') ?? false
  const timeoutMs = block.durationMs('timeout')
  const isFirst = startsFirst(block)
  const minVersion = block.text('min_version')
  for (const name of PASSED_OVER) block.value(name)
  block.finish()
  if (certificate === null || key === null) {
    return block.fail(['cert_file'], 'and key_file must name the certificate and its key')
  }
  const version = VERSIONS.find((one) => one === minVersion)
  if (minVersion !== undefined && version === undefined) {
    return block.fail(['min_version'], `must be one of ${VERSIONS.join(', ')}`)
  }
  return {
    start: isFirst ? 'first' : 'upgrade',
    certificate,
    key,
    clientAuthority,
    verifiesClients,
    handshakeTimeoutMs: timeoutMs ?? HANDSHAKE_TIMEOUT_MS,
    ...(version !== undefined && { minVersion: `TLSv${version}` as const }),
  }
}

function startsFirst(block: ConfReader): boolean {
  const value = block.value('handshake_first', 'first', 'immediate')
  if (value === undefined || typeof value === 'boolean') return value === true
  return block.fail(['handshake_first'], 'must be true or false: a delay is not served')
}

function fileOf(block: ConfReader, name: string): Buffer | null {
  const path = block.text(name)
  if (path === undefined) return null
  try {
    return readFileSync(resolve(path))
  } catch (error) {
    throw new ConfigError(`${name} ${path} can't be read`, { cause: error })
  }
}
