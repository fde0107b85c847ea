import { destination, type Logger as Pino, pino, stdSerializers } from 'pino'
import type { LogFields, Logger } from '../ports/logger.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

const STDERR = 2

/**
 * Logs JSON lines to the standard error, so that the standard output stays for results. Lines are
 * written at once: there are few, and the last one before a crash is the one that matters.
 */
export function createPinoLogger(level: LogLevel, descriptor: number = STDERR): Logger {
  const lines = destination({ dest: descriptor, sync: true })
  const root = pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      messageKey: 'text',
      serializers: { error: stdSerializers.err, cause: stdSerializers.err },
    },
    lines,
  )
  return new PinoLogger(root)
}

class PinoLogger implements Logger {
  readonly #pino: Pino

  constructor(logger: Pino) {
    this.#pino = logger
  }

  debug(text: string, fields?: LogFields): void {
    this.#pino.debug(fields ?? null, text)
  }

  info(text: string, fields?: LogFields): void {
    this.#pino.info(fields ?? null, text)
  }

  warn(text: string, fields?: LogFields): void {
    this.#pino.warn(fields ?? null, text)
  }

  error(text: string, fields?: LogFields): void {
    this.#pino.error(fields ?? null, text)
  }

  child(component: string): Logger {
    return new PinoLogger(this.#pino.child({ component }))
  }
}
