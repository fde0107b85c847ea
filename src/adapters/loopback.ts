import { isIP } from 'node:net'

/** Only programs on this machine reach it. @param host a name or an address, without brackets */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}
