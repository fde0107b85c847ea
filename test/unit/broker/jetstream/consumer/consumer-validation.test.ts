import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  type ConsumerConfig,
  withRequiredLevel,
} from '../../../../../src/broker/jetstream/consumer/consumer-config.ts'
import { withDefaults } from '../../../../../src/broker/jetstream/consumer/consumer-defaults.ts'
import { isSameConfig } from '../../../../../src/broker/jetstream/consumer/consumer-update.ts'
import { checkConsumerConfig } from '../../../../../src/broker/jetstream/consumer/consumer-validation.ts'
import { configOf, STREAM } from './consumer-fixture.ts'

const SECOND = 1_000_000_000

/** What is wrong with each, as nats-server says it. */
const REFUSED: readonly (readonly [Partial<ConsumerConfig>, number, string])[] = [
  [
    { durable_name: 'a.b' },
    10052,
    "consumer durable name can not contain '.', '*', '>', '\\', '/'",
  ],
  [{ num_replicas: 3 }, 10126, 'consumer config replica count exceeds parent stream'],
  [{ num_replicas: -1 }, 10133, 'replicas count cannot be negative'],
  [{ backoff: [SECOND, -1] }, 10184, 'consumer backoff needs to be positive'],
  [{ ack_wait: -1 }, 10183, 'consumer ack wait needs to be positive'],
  [
    { backoff: [SECOND, SECOND], max_deliver: 1 },
    10116,
    'max deliver is required to be > length of backoff values',
  ],
  [
    { description: 'x'.repeat(4097) },
    10107,
    'consumer description is too long, maximum allowed is 4096',
  ],
  [{ deliver_subject: 'a.*' }, 10079, 'consumer deliver subject has wildcards'],
  [{ deliver_subject: 'a..b' }, 10112, 'invalid push consumer deliver subject'],
  [{ deliver_subject: 's.x' }, 10081, 'consumer deliver subject forms a cycle'],
  [
    { deliver_subject: 'd', max_waiting: 1 },
    10080,
    'consumer in push mode can not set max waiting',
  ],
  [
    { deliver_subject: 'd', ack_policy: 'none', max_ack_pending: 5 },
    10082,
    'consumer requires ack policy for max ack pending',
  ],
  [
    { deliver_subject: 'd', idle_heartbeat: 1000 },
    10083,
    'consumer idle heartbeat needs to be >= 100ms',
  ],
  [{ rate_limit_bps: 1 }, 10086, 'consumer in pull mode can not have rate limit set'],
  [{ idle_heartbeat: SECOND }, 10088, 'consumer idle heartbeat requires a push based consumer'],
  [{ flow_control: true }, 10089, 'consumer flow control requires a push based consumer'],
  [{ max_expires: 5 }, 10115, 'consumer max request expires needs to be >= 1ms'],
  [{ direct: true }, 10090, 'consumer direct requires a push based consumer'],
  [
    { direct: true, deliver_subject: 'd', durable_name: 'x' },
    10091,
    'consumer direct requires an ephemeral consumer',
  ],
  [
    { filter_subject: 'a', filter_subjects: ['b'] },
    10136,
    'consumer cannot have both FilterSubject and FilterSubjects specified',
  ],
  [{ filter_subjects: [''] }, 10139, 'consumer filter in FilterSubjects cannot be empty'],
  [{ filter_subjects: ['a.*', 'a.b'] }, 10138, 'consumer subject filters cannot overlap'],
  [{ filter_subject: 'a..b' }, 10052, 'malformed subject'],
  [
    { opt_start_seq: 3 },
    10094,
    'consumer delivery policy is deliver all, but optional start sequence is also set',
  ],
  [
    { deliver_policy: 'last_per_subject' },
    10094,
    'consumer delivery policy is deliver last per subject, but optional filter subject is not set',
  ],
  [
    { deliver_policy: 'by_start_sequence' },
    10094,
    'consumer delivery policy is deliver by start sequence, but optional start sequence is not set',
  ],
  [
    { deliver_policy: 'by_start_time' },
    10094,
    'consumer delivery policy is deliver by start time, but optional start time is not set',
  ],
  [
    { sample_freq: 'often' },
    10095,
    'failed to parse consumer sampling configuration: strconv.Atoi: parsing "often": invalid syntax',
  ],
  [
    { deliver_subject: 'd', flow_control: true },
    10108,
    'consumer with flow control also needs heartbeats',
  ],
  [
    { durable_name: 'a', name: 'b' },
    10132,
    'Consumer Durable and Name have to be equal if both are provided',
  ],
  [
    { metadata: { a: 'x'.repeat(128 * 1024) } },
    10135,
    'consumer metadata exceeds maximum size of 128KB',
  ],
  [
    { priority_policy: 'overflow' },
    10159,
    'Setting PriorityPolicy requires at least one PriorityGroup to be set',
  ],
  [
    { priority_policy: 'overflow', priority_groups: [''] },
    10161,
    'Group name cannot be an empty string',
  ],
  [
    { priority_policy: 'overflow', priority_groups: ['a b'] },
    10162,
    'Valid priority group name must match A-Z, a-z, 0-9, -_/=)+ and may not exceed 16 characters',
  ],
  [
    { priority_policy: 'overflow', priority_groups: ['a'], deliver_subject: 'd' },
    10178,
    'priority groups can not be used with push consumers',
  ],
  [{ priority_groups: ['a'] }, 10196, 'consumer can not have priority groups when policy is none'],
  [{ priority_timeout: SECOND }, 10197, 'PinnedTTL cannot be set when PriorityPolicy is none'],
  [{ ack_policy: 'flow_control' }, 10218, 'flow control ack policy requires a push based consumer'],
]

describe('a consumer configuration', () => {
  for (const [fields, number, text] of REFUSED) {
    it(`is refused with ${number} for ${JSON.stringify(fields).slice(0, 80)}`, () => {
      const filled = withDefaults(configOf(fields), STREAM, false)
      assert.ok(!('err_code' in filled))
      const refusal = checkConsumerConfig(filled, STREAM)
      assert.equal(refusal?.err_code, number)
      assert.equal(refusal?.description, text)
    })
  }

  it('is filled with the defaults of nats-server', () => {
    const filled = withDefaults(configOf({ durable_name: 'c' }), STREAM, false)
    assert.deepEqual(filled, {
      durable_name: 'c',
      deliver_policy: 'all',
      ack_policy: 'explicit',
      replay_policy: 'instant',
      num_replicas: 0,
      max_deliver: -1,
      max_waiting: 512,
      ack_wait: 30 * SECOND,
      max_ack_pending: 1000,
      inactive_threshold: 0,
    })
    assert.equal(checkConsumerConfig(filled as ConsumerConfig, STREAM), null)
  })

  it('takes its ack wait from the first backoff', () => {
    const filled = withDefaults(configOf({ backoff: [5, 6], max_deliver: 9 }), STREAM, false)
    assert.ok(!('err_code' in filled))
    assert.equal(filled.ack_wait, 5)
  })

  it('is taken as it is by a careful client, or refused with 10157', () => {
    const filled = withDefaults(configOf({ max_deliver: -5 }), STREAM, true)
    assert.deepEqual(filled, {
      code: 400,
      err_code: 10157,
      description: 'pedantic mode: max_deliver must be set to -1',
    })
  })

  it('is held to the limits of its stream', () => {
    const stream = { ...STREAM, consumerMaxAckPending: 10, consumerInactiveThreshold: SECOND }
    const many = withDefaults(configOf({ max_ack_pending: 11 }), stream, false)
    assert.equal(checkConsumerConfig(many as ConsumerConfig, stream)?.err_code, 10121)
    const long = withDefaults(configOf({ inactive_threshold: 2 * SECOND }), stream, false)
    assert.equal(
      checkConsumerConfig(long as ConsumerConfig, stream)?.description,
      'consumer inactive threshold exceeds system limit of 1s',
    )
  })

  it('names the API level that it needs', () => {
    const levels: [Partial<ConsumerConfig>, string][] = [
      [{}, '0'],
      [{ pause_until: '0001-01-01T00:00:00Z' }, '0'],
      [{ pause_until: '2030-01-01T00:00:00Z' }, '1'],
      [{ priority_policy: 'overflow', priority_groups: ['g'] }, '1'],
      [{ ack_policy: 'flow_control' }, '4'],
    ]
    for (const [fields, level] of levels) {
      const { metadata } = withRequiredLevel(configOf(fields))
      assert.deepEqual(metadata, { '_nats.req.level': level })
    }
  })

  it('is the same as one that says nothing where it says zero', () => {
    const one = configOf({ max_batch: 0, metadata: {}, filter_subjects: [] })
    assert.ok(isSameConfig(one, configOf({})))
    assert.ok(!isSameConfig(one, configOf({ max_batch: 1 })))
  })
})

describe('limits of the account and the server', () => {
  const limited = { ...STREAM, maxAckPending: 50, maxRequestBatch: 20 }

  it('are what a consumer gets that asks for nothing', () => {
    const filled = withDefaults(configOf({ ack_policy: 'explicit' }), limited, false)
    assert.ok(!('err_code' in filled))
    assert.deepEqual([filled.max_ack_pending, filled.max_batch], [50, 20])
    const push = configOf({ ack_policy: 'explicit', deliver_subject: 'd' })
    const pushed = withDefaults(push, { ...limited, maxAckPending: 5000 }, false)
    assert.ok(!('err_code' in pushed))
    assert.deepEqual([pushed.max_ack_pending, pushed.max_batch], [1000, undefined])
  })

  it('are not exceeded', () => {
    const refusalOf = (config: Partial<ConsumerConfig>) =>
      checkConsumerConfig(configOf({ ack_policy: 'explicit', ...config }), limited)
    assert.equal(refusalOf({ max_ack_pending: 50, max_batch: 20 }), null)
    assert.equal(refusalOf({ max_ack_pending: -1 }), null)
    const pending = refusalOf({ max_ack_pending: 51 })
    assert.equal(pending?.err_code, 10121)
    assert.equal(pending?.description, 'consumer max ack pending exceeds system limit of 50')
    const batch = refusalOf({ max_batch: 21 })
    assert.equal(batch?.err_code, 10125)
    assert.equal(batch?.description, 'consumer max request batch exceeds server limit of 20')
  })
})
