import { Command, CommanderError, InvalidArgumentError } from 'commander'
import { formatAddress } from '../app/listen-address.ts'
import { createPinoLogger } from '../app/logging.ts'
import { NatsLauncher } from '../app/nats-server/nats-launcher.ts'
import { ConfigError, StorageError } from '../base/errors.ts'
import { ExitCode } from './command-failure.ts'
import { boundYoungGeneration } from './young-generation.ts'

/** Named as the flags are. */
interface Options {
  readonly config?: string
  readonly port?: number
  readonly addr?: string
  readonly name?: string
  readonly http_port?: number
  readonly user?: string
  readonly pass?: string
  readonly auth?: string
  readonly jetstream?: boolean
  readonly store_dir?: string
  readonly ports_file_dir?: string
  readonly pid?: string
  readonly debug?: boolean
  readonly trace?: boolean
}

/** Names that nats-server has for a flag besides its long one. */
const OTHER_NAMES: ReadonlyMap<string, string> = new Map([
  ['js', 'jetstream'],
  ['sd', 'store_dir'],
  ['m', 'http_port'],
  ['DV', 'debug'],
  ['net', 'addr'],
  ['server_name', 'name'],
])

/** Runs Spool as `nats-server`, with that program's flags, configuration and signals. */
export async function runNatsServer(argv: readonly string[]): Promise<void> {
  try {
    const program = makeProgram().parse(argv.map(longFlag))
    await launch(program.opts<Options>())
  } catch (error) {
    process.exit(report(error))
  }
}

/** One dash before a long name is as good as two, as Go reads flags. */
function longFlag(argument: string): string {
  const match = /^--?([A-Za-z][\w]+)(=.*)?$/.exec(argument)
  if (match === null) return argument
  const [, name = '', value = ''] = match
  return `--${OTHER_NAMES.get(name) ?? name}${value}`
}

function makeProgram(): Command {
  return new Command('nats-server')
    .description('Spool, started as nats-server is.')
    .exitOverride()
    .option('-c, --config <file>', 'configuration file of nats-server')
    .option('-p, --port <port>', 'port for clients, -1: any (default 4222)', port)
    .option('-a, --addr <host>', 'address to listen on (default 0.0.0.0)')
    .option('-n, --name <name>', 'name of the server')
    .option('-m, --http_port <port>', 'port for monitoring', port)
    .option('--user <name>', 'a user clients must be')
    .option('--pass <password>', 'the password of that user')
    .option('--auth <token>', 'a token clients must have')
    .option('--jetstream', 'JetStream: data is kept')
    .option('--store_dir <dir>', 'where data is kept')
    .option('--ports_file_dir <dir>', 'where a file with the ports is written')
    .option('-P, --pid <file>', 'where the process id is written')
    .option('-D, --debug', 'log more')
    .option('-V, --trace', 'log more')
}

function port(text: string): number {
  if (!/^(?:-1|\d{1,5})$/.test(text)) throw new InvalidArgumentError('it must be a port, or -1')
  return Number(text)
}

async function launch(options: Options): Promise<void> {
  boundYoungGeneration()
  const flags = {
    ...(options.addr !== undefined && { host: options.addr }),
    ...(options.port !== undefined && { port: options.port }),
    ...(options.name !== undefined && { serverName: options.name }),
    ...(options.http_port !== undefined && { httpPort: options.http_port }),
    ...(options.user !== undefined && { user: options.user }),
    ...(options.pass !== undefined && { password: options.pass }),
    ...(options.auth !== undefined && { token: options.auth }),
    ...(options.jetstream !== undefined && { jetStream: options.jetstream }),
    ...(options.store_dir !== undefined && { storeDir: options.store_dir }),
    ...(options.ports_file_dir !== undefined && { portsFileDir: options.ports_file_dir }),
    ...(options.pid !== undefined && { pidFile: options.pid }),
  }
  const isTalkative = options.debug === true || options.trace === true
  const logger = createPinoLogger(isTalkative ? 'debug' : 'warn')
  const server = await NatsLauncher.start({ configFile: options.config, flags, logger })
  tellStarted(server)
  handleSignals(server)
}

function tellStarted(server: NatsLauncher): void {
  for (const name of server.options.notServed) {
    process.stderr.write(`[WRN] ${name} is not served by Spool, and left out\n`)
  }
  const { nats, webSocket, monitor } = server.addresses
  const say = (text: string): void => void process.stderr.write(`[INF] ${text}\n`)
  if (monitor !== null) say(`Starting http monitor on ${formatAddress(monitor)}`)
  if (webSocket !== null) say(`Listening for websocket clients on ${formatAddress(webSocket)}`)
  if (nats !== null) say(`Listening for client connections on ${formatAddress(nats)}`)
  say('Server is ready')
}

/** As nats-server: INT and TERM stop, HUP reads the configuration again, USR2 is lame duck mode. */
function handleSignals(server: NatsLauncher): void {
  let isStopping = false
  const stop = (): void => {
    if (isStopping) process.exit(ExitCode.FAILURE)
    isStopping = true
    server.stop().then(
      () => process.exit(0),
      (error: unknown) => process.exit(report(error)),
    )
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  process.on('SIGHUP', () => {
    try {
      server.reload()
    } catch (error) {
      process.stderr.write(`[ERR] Failed to reload: ${textOf(error)}\n`)
    }
  })
  process.on('SIGUSR2', () => {
    server.enterLameDuck(stop).catch((error: unknown) => process.exit(report(error)))
  })
  process.on('SIGUSR1', () => undefined)
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (error: unknown) => process.exit(report(error)))
  }
}

function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : ExitCode.USAGE
  process.stderr.write(`nats-server: ${textOf(error)}\n`)
  return ExitCode.FAILURE
}

/** What was not foreseen shows its place. */
function textOf(error: unknown): string {
  if (error instanceof ConfigError || error instanceof StorageError) return error.message
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
