import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { useTarget } from '../support/use-target.ts'
import { useSpring } from './spring-run.ts'

const PAYMENT_COUNT = 600
/** So much is processed when the application is killed, while more is under way. */
const KILL_AT = 200
const START_LIMIT_MS = 60_000

/** Members of KIP-848 learn of a change with a heartbeat; 5 s is the default. */
const config = {
  'group.consumer.min.heartbeat.interval.ms': '200',
  'group.consumer.heartbeat.interval.ms': '200',
}
const target = useTarget({ config })
const spring = useSpring()

describe('spring-kafka', () => {
  for (const protocol of ['classic', 'consumer']) {
    it(`runs containers on virtual threads in a group of the ${protocol} protocol`, async () => {
      const output = await spring.run(target().bootstrap, 'virtual', protocol)
      assert.deepEqual(output, {
        values: '600',
        'deliveries on virtual threads': '600',
        'deliveries on others': '0',
        threads: '6',
        committed: '600',
        type: protocol === 'classic' ? 'Classic' : 'Consumer',
      })
    })
  }

  it('gives batches to a listener, and the rest of one that failed again', async () => {
    assert.deepEqual(await spring.run(target().bootstrap, 'batches'), {
      values: '1000',
      processed: '1000',
      'has failed': 'true',
      'batches hold more than one': 'true',
      'batches keep to the limit': 'true',
    })
  })

  it('reads, processes and writes exactly once, through roll-backs and a kill -9', async () => {
    const { bootstrap } = target()
    await spring.run(bootstrap, 'pay', String(PAYMENT_COUNT))
    const killed = spring.start(bootstrap, 'transfer')
    try {
      await killed.waitFor(new RegExp(`processed\\t${KILL_AT}\\b`), START_LIMIT_MS)
    } finally {
      await killed.stop('SIGKILL')
    }
    const app = spring.start(bootstrap, 'transfer')
    try {
      assert.deepEqual(await spring.run(bootstrap, 'check', String(PAYMENT_COUNT)), {
        committed: String(PAYMENT_COUNT),
        distinct: String(PAYMENT_COUNT),
        'has aborted ones': 'true',
        'left over': '0',
      })
    } finally {
      await app.stop()
    }
  })

  it('sends what fails through retry topics that wait, and gives it up in a dead-letter topic', async () => {
    const cause = 'java.lang.IllegalArgumentException'
    assert.deepEqual(await spring.run(target().bootstrap, 'retries'), {
      flaky: 'orders orders-retry-0 orders-retry-1',
      poison: 'orders orders-retry-0 orders-retry-1 orders-retry-2',
      waits: 'true',
      dead: `orders-dlt poison orders ${cause}`,
      topics: 'orders orders-dlt orders-retry-0 orders-retry-1 orders-retry-2',
    })
  })

  it('publishes what its error handler gives up, with where it came from', async () => {
    assert.deepEqual(await spring.run(target().bootstrap, 'dead'), {
      attempts: '3',
      dead: '13 of jobs 1 6 in 1, no number of jobs 0 10 in 0',
    })
  })
})
