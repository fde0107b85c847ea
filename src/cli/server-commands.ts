import { type Command, Option } from 'commander'
import { bootstrapOption, collect, outputOption } from './common-options.ts'

/** `serve`, `status`, `doctor`, `bench`. What they do is loaded when they run. */
export function addServerCommands(program: Command): void {
  program
    .command('serve')
    .description('run a broker')
    .option('--data-dir <dir>', 'where the data is (default ./spool-data)')
    .option('--config <file>', 'a server.properties file')
    .option('--set <name=value>', 'one configuration, over the file; repeatable', collect)
    .option('--kafka <host:port>', 'where Kafka clients connect (default 127.0.0.1:9092)')
    .option(
      '--http <host:port>',
      'where metrics and health are, and NATS by WebSocket (default 127.0.0.1:8080)',
    )
    .option('--no-http', 'no HTTP port')
    .option('--nats <host:port>', 'where NATS clients connect (default 127.0.0.1:4222)')
    .option('--no-nats', 'no NATS port')
    .option('--allow-anonymous', 'listen on other addresses than loopback without any login')
    .addOption(
      new Option('--log-level <level>', 'what is logged to the standard error')
        .choices(['debug', 'info', 'warn', 'error', 'silent'])
        .default('warn'),
    )
    .action(async (options) => (await import('./commands/serve.ts')).serve(options))

  program
    .command('status')
    .description('show brokers, topics and groups of a cluster')
    .addOption(bootstrapOption())
    .addOption(outputOption())
    .action(async (options) => (await import('./commands/status.ts')).status(options))

  program
    .command('doctor')
    .description('check what a broker needs on this machine')
    .argument('[dir]', 'data directory', './spool-data')
    .option('--kafka <host:port>', 'where Kafka clients would connect', '127.0.0.1:9092')
    .addOption(outputOption())
    .action(async (dir, options) => (await import('./commands/doctor.ts')).doctor(dir, options))

  program
    .command('bench')
    .description('measure produce and consume through a client library')
    .addOption(bootstrapOption())
    .addOption(outputOption())
    .option('--records <count>', 'how many records', '100000')
    .option('--size <bytes>', 'bytes of each value', '1024')
    .option('--partitions <count>', 'partitions of the topic made for it', '1')
    .action(async (options) => (await import('./commands/bench.ts')).bench(options))
}
