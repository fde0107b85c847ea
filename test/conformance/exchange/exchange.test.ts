import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { DECODERS, expectSameDumps } from './dump-agreement.ts'
import { Exchange } from './exchange.ts'
import type { Quorum } from './kafka-node.ts'

/** Each hop finds all that the one before left; they build on each other. */
function exchangeOf(quorum: Quorum) {
  let exchange: Exchange
  before(async () => {
    exchange = await Exchange.begin(quorum)
  })
  after(() => exchange.end())
  return (what: string, go: (exchange: Exchange) => Promise<void>) => {
    it(what, () => exchange.hop(() => go(exchange)))
  }
}

describe('one data directory goes back and forth between Kafka and Spool', () => {
  const hop = exchangeOf('dynamic')

  hop('is filled by Kafka, which stops cleanly', async (exchange) => {
    await exchange.startKafka()
    await exchange.fill()
    await exchange.change()
    await exchange.stop('cleanly')
  })

  hop('is all there on Spool, which compacts and stops cleanly', async (exchange) => {
    const found = await exchange.doctor()
    assert.match(found.get('owner') ?? '', /^ok: .*last run by Apache Kafka, stopped cleanly/)
    assert.match(found.get('security') ?? '', /2 ACLs, 2 SCRAM credentials, 2 client quotas/)
    assert.match(found.get('start of Spool') ?? '', /^ok: takes everything over/)
    await exchange.startSpool()
    await exchange.change()
    await exchange.clients.run('await-compaction')
    await exchange.stop('cleanly')
  })

  hop('is all there on Kafka, which compacts and is killed', async (exchange) => {
    const found = await exchange.doctor()
    assert.match(found.get('owner') ?? '', /^ok: .*last run by Spool, stopped cleanly/)
    assert.match(found.get('start of Kafka') ?? '', /^ok: takes everything over/)
    await exchange.startKafka()
    await exchange.change()
    await exchange.clients.run('await-compaction')
    await exchange.stop('at once')
  })

  hop('is all there on Spool, which goes on and is killed', async (exchange) => {
    await exchange.startSpool()
    await exchange.change()
    await exchange.stop('at once')
  })

  hop('is all there on Kafka once more, and Spool keeps off while it runs', async (exchange) => {
    await exchange.startKafka()
    await assert.rejects(
      exchange.spool(
        'serve',
        '--data-dir',
        exchange.dataDir,
        '--kafka',
        '127.0.0.1:0',
        '--no-http',
        '--no-nats',
      ),
      /ended with 1:\nspool: .* is in use by Apache Kafka/,
    )
    await exchange.change()
    await exchange.stop('cleanly')
  })

  hop('is all there on Spool at last, with snapshots that came and went', async (exchange) => {
    await exchange.startSpool()
    await exchange.change()
    await exchange.expectSameSizes()
    await exchange.stop('cleanly')
    const names = await readdir(join(exchange.dataDir, '__cluster_metadata-0'))
    assert.ok(names.some((name) => name.endsWith('.checkpoint')))
    assert.ok(!names.includes('00000000000000000000.log'), 'the log was cut behind a snapshot')
  })

  hop('has the same in every file for DumpLogSegments and Spool', async (exchange) => {
    const counts = await expectSameDumps(exchange.dataDir)
    const kinds = ['.log', '.index', '.timeindex', '.txnindex', '.snapshot', '.checkpoint']
    for (const kind of [...kinds, ...Object.values(DECODERS)])
      assert.ok((counts.get(kind) ?? 0) > 0, `${kind} in ${JSON.stringify([...counts])}`)
  })
})

describe('a data directory that Kafka formatted for a static quorum goes back and forth', () => {
  const hop = exchangeOf('static')

  hop('is filled by Kafka, which is killed', async (exchange) => {
    await exchange.startKafka()
    await exchange.fill()
    await exchange.change()
    await exchange.stop('at once')
  })

  hop('is all there on Spool, which goes on and stops cleanly', async (exchange) => {
    const found = await exchange.doctor()
    assert.match(found.get('owner') ?? '', /^ok: .*last run by Apache Kafka, runs, or did not/)
    await exchange.startSpool()
    await exchange.change()
    await exchange.stop('cleanly')
  })

  hop('is all there on Kafka once more', async (exchange) => {
    await exchange.startKafka()
    await exchange.change()
    await exchange.stop('cleanly')
  })

  hop('is all there on Spool at last', async (exchange) => {
    await exchange.startSpool()
    await exchange.stop('cleanly')
  })
})
