import { strict as assert } from 'node:assert'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { createPinoLogger, type LogLevel } from '../../../src/adapters/pino-logger.ts'
import type { Logger } from '../../../src/ports/logger.ts'

/** What a logger writes, one parsed line each. */
function linesOf(level: LogLevel, write: (logger: Logger) => void) {
  const directory = mkdtempSync(join(tmpdir(), 'spool-log-'))
  const path = join(directory, 'log')
  const descriptor = openSync(path, 'w')
  try {
    const logger = createPinoLogger(level, descriptor)
    write(logger)
    const lines = readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
    return lines.map((line) => JSON.parse(line) as Record<string, unknown>)
  } finally {
    closeSync(descriptor)
    rmSync(directory, { recursive: true })
  }
}

describe('the log', () => {
  it('is one JSON object a line with level, time, text and fields', () => {
    const lines = linesOf('info', (logger) => logger.info('started', { port: 9092 }))
    assert.equal(lines.length, 1)
    const { time, ...rest } = lines[0] ?? {}
    assert.deepEqual(rest, { level: 'info', port: 9092, text: 'started' })
    assert.match(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  })

  it('names the component and leaves lower levels out', () => {
    const lines = linesOf('warn', (logger) => {
      const child = logger.child('storage')
      child.debug('a')
      child.info('b')
      child.warn('c')
      child.error('d')
    })
    assert.deepEqual(
      lines.map(({ level, component, text }) => [level, component, text]),
      [
        ['warn', 'storage', 'c'],
        ['error', 'storage', 'd'],
      ],
    )
  })

  it('prints an error with its text and cause', () => {
    const lines = linesOf('info', (logger) => {
      const cause = new Error('disk full')
      logger.error('append failed', { error: new Error('no room', { cause }) })
    })
    const error = lines[0]?.['error'] as { message: string; stack: string }
    assert.match(error.message, /no room/)
    assert.match(error.stack, /disk full/)
  })

  it('says nothing when it is silent', () => {
    assert.deepEqual(
      linesOf('silent', (logger) => logger.error('x')),
      [],
    )
  })
})
