import { isIP } from 'node:net'
import { isLoopback } from '../adapters/loopback.ts'
import { ConfigError } from '../base/errors.ts'

/** Where a front end listens. */
export interface ListenAddress {
  /** Name or numeric address, IPv6 without brackets. */
  readonly host: string
  /** 0: any free port. */
  readonly port: number
}

const MAX_PORT = 65_535

/**
 * Reads `HOST:PORT`, `[IPV6]:PORT`, or `:PORT` for all addresses.
 * @param source the flag or config it came from, for the error
 * @throws ConfigError when it is not that
 */
export function parseListenAddress(text: string, source: string): ListenAddress {
  const match = /^(?:\[([\da-fA-F:.]+)\]|([^:[\]\s/]*)):(\d{1,5})$/.exec(text.trim())
  const port = Number(match?.[3])
  if (match === null || port > MAX_PORT) {
    throw new ConfigError(`${source} "${text}" is not HOST:PORT, such as 127.0.0.1:9092`)
  }
  const host = match[1] ?? match[2] ?? ''
  return { host: host === '' ? '0.0.0.0' : host, port }
}

/** The form that `parseListenAddress` reads. */
export function formatAddress({ host, port }: ListenAddress): string {
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`
}

/**
 * Nobody logs in yet, so whoever reaches the port may do everything.
 * @throws ConfigError for an address that other machines reach, unless the operator said so
 */
export function requireLoopback(address: ListenAddress, allowAnonymous: boolean): void {
  if (allowAnonymous || isLoopback(address.host)) return
  throw new ConfigError(
    `${formatAddress(address)} can be reached from other machines and nobody has to log in: ` +
      'listen on 127.0.0.1, or allow it with --allow-anonymous',
  )
}
