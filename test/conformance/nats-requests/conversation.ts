import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, headers, type NatsConnection } from '@nats-io/transport-node'
import { startNatsServer } from '../nats-cli/use-nats-cli.ts'
import { startTarget } from '../target.ts'

/** A request: its subject, its headers, its body. */
export type Request = readonly [
  subject: string,
  headers?: Readonly<Record<string, string>>,
  body?: string | object,
]

/** Asked again until the answer passes, for what takes its time. */
export interface Awaited {
  readonly request: Request
  readonly until: RegExp
}

const ANSWER_LIMIT_MS = 5000
const AWAIT_LIMIT_MS = 30_000

export interface AnswersOfBoth {
  readonly ours: string[]
  readonly theirs: string[]
}

/** Holds the same conversation with Spool and with nats-server. Returns the answers of both. */
export function answersOfBoth(steps: readonly (Request | Awaited)[]): Promise<AnswersOfBoth> {
  return talkToBoth((connection) => answersTo(connection, steps))
}

/** Talks to Spool and to nats-server. */
export async function talkToBoth(
  talk: (connection: NatsConnection) => Promise<string[]>,
): Promise<AnswersOfBoth> {
  const directory = await mkdtemp(join(tmpdir(), 'conformance-nats-'))
  try {
    const original = await startNatsServer(directory)
    const theirs = await talkTo(original.address, talk).finally(() => original.stop())
    const target = await startTarget('spool', { hasNats: true })
    const ours = await talkTo(target.nats ?? '', talk).finally(() => target.stop())
    return { ours, theirs }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function talkTo(
  servers: string,
  talk: (connection: NatsConnection) => Promise<string[]>,
): Promise<string[]> {
  const connection = await connect({ servers, reconnect: false })
  try {
    return await talk(connection)
  } finally {
    await connection.close()
  }
}

export async function answersTo(
  connection: NatsConnection,
  steps: readonly (Request | Awaited)[],
): Promise<string[]> {
  const answers: string[] = []
  for (const step of steps) {
    const request = 'until' in step ? step.request : step
    const limit = AbortSignal.timeout(AWAIT_LIMIT_MS)
    let answer = await answerTo(connection, request)
    while ('until' in step && !step.until.test(answer)) {
      if (limit.aborted) throw new Error(`${request[0]}: still ${answer}`)
      answer = await answerTo(connection, request)
    }
    answers.push(`${JSON.stringify(request)} ${answer}`)
  }
  return answers
}

async function answerTo(connection: NatsConnection, request: Request): Promise<string> {
  const [subject, fields = {}, body = ''] = request
  const block = headers()
  for (const [name, value] of Object.entries(fields)) block.set(name, value)
  const payload = typeof body === 'string' ? body : JSON.stringify(body)
  const options = { timeout: ANSWER_LIMIT_MS, headers: block }
  const answer = await connection.request(subject, payload, options)
  return answer.data.byteLength === 0 ? 'empty' : essence(answer.json())
}

interface Answer {
  readonly config?: object
  readonly message?: { readonly hdrs?: string; readonly data?: string; readonly time?: string }
}

/** An answer without times, names of streams as the server made them, and what was asked for. */
function essence(answer: Answer): string {
  if (answer.config !== undefined) return 'a stream'
  if (answer.message === undefined) return JSON.stringify(sorted(answer))
  const { hdrs = '', data = '', time, ...rest } = answer.message
  const block = Buffer.from(hdrs, 'base64').toString()
  const plain = block
    .replace(/(Nats-Stream-Source: .*) \S+/, '$1')
    .replace(/20\d\d-[\d-]+T[\d:.]+/, 'T')
  return JSON.stringify({ ...rest, plain, data: Buffer.from(data, 'base64').toString() })
}

function sorted(value: object): object {
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}
