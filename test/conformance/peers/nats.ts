import { join } from 'node:path'
import { mustRun } from '../support/command.ts'
import { cached, needProgram } from './cache.ts'
import { versions } from './versions.ts'

/** Builds a program of a Go module of this version. Returns the binary. */
async function goProgram(module: string, program: string, version: string): Promise<string> {
  const name = program === '' ? (module.split('/').at(-2) ?? module) : program
  const directory = await cached(`${name}-${version}`, async (partial) => {
    await needProgram('go')
    const source = program === '' ? module : `${module}/${program}`
    await mustRun('go', ['install', '-trimpath', `${source}@${version}`], {
      limitMs: 900_000,
      env: { GOBIN: partial, GOFLAGS: '', CGO_ENABLED: '0', GOWORK: 'off' },
    })
  })
  return join(directory, name)
}

/** Builds the command line of NATS. Returns the binary. */
export function installNatsCli(): Promise<string> {
  return goProgram('github.com/nats-io/natscli', 'nats', versions.natsCli)
}

/** Builds nats-server, which the tests of NATS can be run on too. Returns the binary. */
export function installNatsServer(): Promise<string> {
  return goProgram('github.com/nats-io/nats-server/v2', '', versions.natsServer)
}
