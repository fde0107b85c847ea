import assert from 'node:assert/strict'
import { it } from 'node:test'
import { createInbox, headers, type NatsConnection } from '@nats-io/transport-node'
import { answersTo, type Request, talkToBoth } from './conversation.ts'

const config = (name: string, more: object = {}): Request => [
  `$JS.API.STREAM.CREATE.${name}`,
  {},
  { name, subjects: [`${name}.>`], ...more },
]

const get = (stream: string, seq: number): Request => [
  `$JS.API.STREAM.MSG.GET.${stream}`,
  {},
  { seq },
]

/** A message of a fast batch: `id.flow.gap.sequence.operation`, its headers. */
type FastStep = readonly [what: string, headers?: Readonly<Record<string, string>>]

/** Sends messages of fast batches, one after the other. Returns what was answered to each. */
async function fastAnswers(
  connection: NatsConnection,
  stream: string,
  steps: readonly FastStep[],
): Promise<string[]> {
  const inbox = createInbox()
  let answers: string[] = []
  connection.subscribe(`${inbox}.>`, {
    callback: (_, message) => {
      answers.push(message.string())
    },
  })
  const told: string[] = []
  for (const [what, fields = {}] of steps) {
    const block = headers()
    for (const [name, value] of Object.entries(fields)) block.set(name, value)
    const reply = `${inbox}.${what}.$FI`
    connection.publish(`${stream}.a`, what, { reply, headers: block })
    // It is answered behind all that the message before it led to.
    await connection.request(`${stream}.marker`)
    const sorted = answers.map((text) => JSON.stringify(fieldsOf(text)))
    told.push(`${what} ${JSON.stringify(fields)} ${sorted.join(' ')}`)
    answers = []
  }
  return told
}

/** Fields in the order of their names. */
function fieldsOf(text: string): object {
  const fields = Object.entries(JSON.parse(text) as object)
  return Object.fromEntries(fields.sort(([a], [b]) => (a < b ? -1 : 1)))
}

const run = (id: string, from: number, to: number): FastStep[] =>
  Array.from({ length: to - from + 1 }, (_, i) => [`${id}.${from + i}.1`])

const WRONG = { 'Nats-Expected-Last-Sequence': '999' }

const STEPS: readonly FastStep[] = [
  ...(['', 'a', 'a.b', 'a.1.maybe.1.0', 'a.1.ok.0.0', 'a.1.ok.x.0', 'a.1.ok.1.9'].map((text) => [
    `x.${text}`,
  ]) as FastStep[]),
  ...([['a.10.fail.2.0'], ['a.10.fail.1.1'], ['a.10.fail.1.3'], ['a.10.fail.1.4']] as FastStep[]),
  [`${'i'.repeat(65)}.10.fail.1.0`],
  ['unknown.10.fail.2.1'],
  ['long.10.fail.1.0', { long: 'x'.repeat(500) }],
  // A batch, with a ping, to its end.
  ['a.3.fail.1.0'],
  ...run('a.3.fail', 2, 8),
  ['a.3.fail.8.4'],
  ['a.3.fail.9.2'],
  ['a.3.fail.10.1'],
  // One message, and an end that is not stored.
  ['b.3.fail.1.2'],
  ['b.3.fail.1.0'],
  ['b.3.fail.2.3'],
  // Gaps.
  ['c.10.fail.1.0'],
  ['c.10.fail.3.1'],
  ['c.10.fail.1.0'],
  ['c.10.fail.4.4'],
  ['d.4.ok.1.0'],
  ['d.4.ok.4.1'],
  ['d.4.ok.6.4'],
  ['d.4.ok.7.1'],
  ['d.4.ok.9.3'],
  // Messages that are refused.
  ['e.10.fail.1.0', WRONG],
  ['e.10.fail.1.2', WRONG],
  ['e.10.fail.1.0'],
  ['e.10.fail.2.1', WRONG],
  ['g.10.ok.1.0'],
  ['g.10.ok.2.1', WRONG],
  ['g.10.ok.3.2', WRONG],
  ['g.10.ok.1.0', WRONG],
  ['g.10.ok.2.3'],
  ['h.10.fail.1.2', { 'Nats-Rollup': 'x' }],
  ['h.10.fail.1.2', { 'Nats-Incr': '1' }],
  ['h.10.fail.1.2', { 'Nats-TTL': '1h' }],
  // Messages that were there before.
  ['i.2.fail.1.0', { 'Nats-Msg-Id': '1' }],
  ['i.2.fail.2.1', { 'Nats-Msg-Id': '1' }],
  ['i.2.fail.3.1'],
  ['i.2.fail.4.2', { 'Nats-Msg-Id': '1' }],
  ['i.2.fail.1.2', { 'Nats-Msg-Id': '1' }],
  // Several, which get their acknowledgements by turns.
  ['j.400.fail.1.0'],
  ['k.400.fail.1.0'],
  ...run('k.400.fail', 2, 20),
  ...run('j.400.fail', 2, 4),
  ['j.400.fail.5.2'],
  ['k.400.fail.21.2'],
  ['l.10.fail.1.0', { 'Nats-Required-Api-Level': '4' }],
  ['l.10.fail.2.2', { 'Nats-Required-Api-Level': '99' }],
  ['l.10.fail.3.1'],
]

it('fast batches are answered as nats-server answers them (ADR-50)', async () => {
  const { ours, theirs } = await talkToBoth(async (connection) => [
    ...(await answersTo(connection, [
      config('F', { allow_batched: true, allow_rollup_hdrs: true, max_msg_size: 500 }),
      config('N'),
      config('M', { subjects: [], mirror: { name: 'F' }, allow_batched: true }),
    ])),
    ...(await fastAnswers(connection, 'N', [['a.10.fail.1.0'], ['a']])),
    ...(await fastAnswers(connection, 'F', STEPS)),
    ...(await answersTo(connection, [get('F', 20), get('F', 100)])),
  ])
  assert.deepEqual(ours, theirs)
})
