/** The command line may not import adapters; the logger is part of composing a broker. */
export { createPinoLogger, type LogLevel } from '../adapters/pino-logger.ts'
