import { Option } from 'commander'
import { parseFormat } from './output.ts'

const DEFAULT_BOOTSTRAP = '127.0.0.1:9092'

/** `-b`: which cluster a command talks to. */
export function bootstrapOption(): Option {
  return new Option('-b, --bootstrap <host:port,...>', 'brokers to connect to')
    .default(DEFAULT_BOOTSTRAP)
    .env('SPOOL_BOOTSTRAP')
}

/** `-o`: how results are printed. */
export function outputOption(): Option {
  return new Option('-o, --output <format>', 'json or table')
    .default('table')
    .argParser(parseFormat)
}

/** Collects an option that may be given several times. */
export function collect(value: string, earlier: readonly string[] | undefined): string[] {
  return [...(earlier ?? []), value]
}
