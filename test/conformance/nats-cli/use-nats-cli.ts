import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before } from 'node:test'
import { needProgram } from '../peers/cache.ts'
import { installNatsCli, installNatsServer } from '../peers/nats.ts'
import { type CommandResult, mustRun, runCommand } from '../support/command.ts'
import { ServerProcess } from '../support/server-process.ts'
import { startTarget, targetKind } from '../target.ts'

const START_LIMIT_MS = 60_000
/** For what is printed by a command that goes on running. */
const PRINT_LIMIT_MS = 30_000
const REPEAT_LIMIT_MS = 30_000

/** The command line of NATS, which talks to the server of this file. */
export interface NatsCli {
  /** A directory for files, empty at first. */
  readonly directory: string
  /** The same for another server. */
  at(address: string): NatsCli
  /** Runs a command, which must end well. Returns what it prints, both streams together. */
  run(...args: readonly string[]): Promise<string>
  /** Runs a command to its end, whatever that is. */
  result(...args: readonly string[]): Promise<CommandResult>
  /** The same with this on its standard input. */
  resultWith(input: string, ...args: readonly string[]): Promise<CommandResult>
  /** Runs a command that asks for a terminal, which must end well. */
  runInTerminal(...args: readonly string[]): Promise<string>
  /** Runs a command beside `work`, and ends it afterwards if it has not ended by then. */
  beside(args: readonly string[], work: (running: Running) => Promise<void>): Promise<void>
}

export interface Running {
  /** Waits until it has printed this. */
  prints(pattern: RegExp): Promise<RegExpExecArray>
  hasPrinted(pattern: RegExp): boolean
}

/**
 * Starts the server before the tests of the calling file, and removes it after them: Spool, or
 * nats-server where the tier runs on the originals.
 */
export function useNatsCli(): () => NatsCli {
  let cli: NatsCli | undefined
  let end: (() => Promise<void>) | undefined
  before(async () => {
    await needProgram('script')
    const program = await installNatsCli()
    const directory = await mkdtemp(join(tmpdir(), 'conformance-nats-'))
    const server = await startServer(join(directory, 'data'))
    end = async () => {
      await server.stop()
      await rm(directory, { recursive: true, force: true })
    }
    cli = cliOf(program, server.address, directory)
  })
  after(() => end?.())
  return () => {
    if (cli === undefined) throw new Error('the server runs only while tests run')
    return cli
  }
}

/** Repeats a step until it says that it is done; for what only another process can tell. */
export async function repeatUntil(what: string, step: () => Promise<boolean>): Promise<void> {
  const limit = AbortSignal.timeout(REPEAT_LIMIT_MS)
  while (!(await step())) {
    if (limit.aborted) throw new Error(`${what}: not in ${REPEAT_LIMIT_MS} ms`)
  }
}

interface StartedServer {
  readonly address: string
  stop(): Promise<void>
}

async function startServer(dataDir: string): Promise<StartedServer> {
  if (targetKind() === 'kafka') return await startNatsServer(dataDir)
  const { nats, stop } = await startTarget('spool', { hasNats: true })
  return { address: nats ?? '', stop }
}

/** The original, beside the server of this file. */
export async function startNatsServer(dataDir: string): Promise<StartedServer> {
  const program = await installNatsServer()
  const flags = ['-a', '127.0.0.1', '-p', '-1', '-js', '-sd', dataDir]
  const server = new ServerProcess(program, flags)
  try {
    const listening = /Listening for client connections on (\S+:\d+)/
    const [, address = ''] = await server.waitFor(listening, START_LIMIT_MS)
    await server.waitFor(/Server is ready/, START_LIMIT_MS)
    const stop = async (): Promise<void> => {
      await server.stop()
    }
    return { address, stop }
  } catch (error) {
    await server.stop('SIGKILL')
    throw error
  }
}

function cliOf(program: string, address: string, directory: string): NatsCli {
  // Nothing that the user keeps for the tool may change what it does here.
  const common = ['--server', `nats://${address}`, '--no-context', '--timeout', '30s']
  const options = { cwd: directory, env: { HOME: directory, XDG_CONFIG_HOME: directory } }
  const result = (...args: readonly string[]) => runCommand(program, [...common, ...args], options)
  return {
    directory,
    at: (other) => cliOf(program, other, directory),
    result,
    resultWith: (input, ...args) =>
      runCommand(program, [...common, ...args], { ...options, input }),
    async run(...args) {
      const { code, stdout, stderr } = await result(...args)
      const output = stdout + stderr
      if (code !== 0) throw new Error(`nats ${args.join(' ')} ended with ${code}:\n${output}`)
      return output
    },
    runInTerminal(...args) {
      const command = [program, ...common, ...args].map((arg) => `'${arg}'`).join(' ')
      return mustRun('script', ['-qec', command, '/dev/null'], options)
    },
    async beside(args, work) {
      const child = new ServerProcess(program, [...common, ...args])
      try {
        await work({
          prints: (pattern) => child.waitFor(pattern, PRINT_LIMIT_MS),
          hasPrinted: (pattern) => pattern.test(child.output),
        })
      } finally {
        await child.stop()
      }
    },
  }
}
