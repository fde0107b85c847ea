import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { WantedStream } from '../../../../../src/broker/jetstream/stream/stream-config.ts'
import { withDefaults } from '../../../../../src/broker/jetstream/stream/stream-defaults.ts'
import {
  checkStreamConfig,
  checkStreamUpdate,
  checkTexts,
} from '../../../../../src/broker/jetstream/stream/stream-validation.ts'
import { configOf } from './stream-harness.ts'

/** Why a stream is refused; null: it is not. */
function refusalOf(wanted: Partial<WantedStream>): string | null {
  const named = { name: 'S', ...wanted }
  const texts = checkTexts(named)
  if (texts !== null) return `${texts.err_code} ${texts.description}`
  const config = withDefaults(named, false)
  const refusal = 'err_code' in config ? config : checkStreamConfig(config, () => undefined)
  return refusal === null ? null : `${refusal.err_code} ${refusal.description}`
}

describe('the configuration of a stream', () => {
  it('gets what nats-server fills in', () => {
    const config = configOf({ max_age: 1_000_000_000, max_msgs: 0 })
    assert.equal(config.duplicate_window, 1_000_000_000)
    assert.equal(config.max_msgs, -1)
    assert.equal(configOf({}).duplicate_window, 120_000_000_000)
    const marked = configOf({ subject_delete_marker_ttl: 2_000_000_000 })
    assert.deepEqual([marked.allow_msg_ttl, marked.allow_rollup_hdrs], [true, true])
  })

  it('is refused in the words of nats-server', () => {
    const subjects = ['a', 'a']
    const cases: [Partial<WantedStream>, string | null][] = [
      [{}, null],
      [
        { name: 'a.b' },
        "10052 stream name is required and can not contain '.', '*', '>', '\\', '/'",
      ],
      [{ max_age: 1 }, '10052 max age needs to be >= 100ms'],
      [{ subjects }, '10052 duplicate subjects detected'],
      [{ subjects: ['a.>', 'a.b'] }, '10052 subject "a.>" overlaps with "a.b"'],
      [{ subjects: ['a..b'] }, '10052 invalid subject'],
      [{ subjects: ['>'] }, '10052 capturing all subjects requires no-ack to be true'],
      [{ subjects: ['>'], no_ack: true }, null],
      [
        { subjects: ['$JS.API.>'] },
        '10052 subjects that overlap with jetstream api require no-ack to be true',
      ],
      [
        { deny_purge: true, allow_rollup_hdrs: true },
        '10052 roll-ups require the purge permission',
      ],
      [
        { discard_new_per_subject: true },
        '10052 discard new per subject requires discard new policy to be set',
      ],
      [{ num_replicas: 6 }, '10052 maximum replicas is 5'],
      [{ num_replicas: -1 }, '10133 replicas count cannot be negative'],
      [{ mirror: { name: 'O' }, subjects: ['a'] }, '10034 stream mirrors can not contain subjects'],
      [{ mirror: { name: 'a b' } }, '10142 mirrored stream name is invalid'],
      [
        { republish: { src: '>', dest: 'S' } },
        '10052 stream configuration for republish destination forms a cycle',
      ],
      [
        { mirror: { name: 'O', filter_subject: 'a..b' } },
        "10049 subject filter 'a..b' for the mirror invalid subject",
      ],
      [
        { sources: [{ name: 'O', filter_subject: 'a..b' }] },
        "10049 subject filter 'a..b' for the source: invalid subject",
      ],
      // Not nats-server's words: it has these.
      [
        { mirror: { name: 'O', consumer: { name: 'c' } } },
        '10052 consumers of mirrors and sources are not supported',
      ],
    ]
    for (const [wanted, expected] of cases) assert.equal(refusalOf(wanted), expected)
  })

  it('may not change in some ways', () => {
    const before = configOf({ deny_delete: true })
    const text = (after: Partial<WantedStream>): string | undefined =>
      checkStreamUpdate(before, { ...before, ...after })?.description
    assert.equal(text({ max_msgs: 5 }), undefined)
    const start = 'stream configuration update can not'
    assert.equal(text({ storage: 'memory' }), `${start} change storage type`)
    assert.equal(text({ deny_delete: false }), `${start} cancel deny message deletes`)
    assert.equal(
      text({ retention: 'workqueue' }),
      `${start} change retention policy to/from workqueue`,
    )
  })
})

describe('the configuration of a stream that takes batches (ADR-50)', () => {
  it('is refused in the words of nats-server', () => {
    const cases: [Partial<WantedStream>, string | null][] = [
      [
        { mirror: { name: 'O' }, subjects: [], allow_atomic: true },
        '10198 stream mirrors can not also use atomic publishing',
      ],
      [
        { mirror: { name: 'O' }, subjects: [], allow_batched: true },
        '10209 stream mirrors can not also use batch publishing',
      ],
      [
        { allow_atomic: true, persist_mode: 'async' },
        '10052 async persist mode is not supported with atomic batch publish',
      ],
      [{ allow_atomic: true, allow_batched: true }, null],
    ]
    for (const [wanted, expected] of cases) assert.equal(refusalOf(wanted), expected)
  })
})
