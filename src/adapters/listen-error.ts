import { ConfigError } from '../base/errors.ts'

/** What a failed `listen` means for whoever chose the address. */
export function listenError(
  error: NodeJS.ErrnoException,
  host: string,
  port: number,
  describe: ((host: string, port: number) => string) | undefined,
): Error {
  const cause = { cause: error }
  if (error.code === 'EADDRINUSE') {
    const text = describe?.(host, port) ?? `the address ${host}:${port} is in use`
    return new ConfigError(`${text}: stop it or choose another port`, cause)
  }
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND') {
    return new ConfigError(`${host} is not an address of this machine`, cause)
  }
  if (error.code === 'EACCES') {
    return new ConfigError(`port ${port} needs rights this process does not have`, cause)
  }
  return new ConfigError(`cannot listen on ${host}:${port}: ${error.message}`, cause)
}
