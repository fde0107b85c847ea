import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { BrokerConfig } from '../../../../src/broker/configs/broker-config.ts'
import { cleanerConfigOf } from '../../../../src/broker/configs/cleaner-config.ts'
import { ConfigResourceType } from '../../../../src/ports/metadata-store.ts'
import { FakeMetadata } from '../../support/fake-cluster.ts'

describe('the log.cleaner.* configs', () => {
  it('are those of Kafka 4.4 unless they are set', () => {
    assert.deepEqual(cleanerConfigOf(new BrokerConfig()), {
      isEnabled: true,
      threadCount: 1,
      dedupeBufferBytes: 134_217_728,
      dedupeLoadFactor: 0.9,
      ioBufferBytes: 524_288,
      maxIoBytesPerSecond: Number.POSITIVE_INFINITY,
      backoffMs: 15_000,
    })
  })

  it('hold from the next look on when they change while the broker runs', async () => {
    const metadata = new FakeMetadata()
    const config = new BrokerConfig(new Map([['log.cleaner.enable', 'false']]))
    config.attach(metadata)
    const values = {
      'log.cleaner.threads': '2',
      'log.cleaner.dedupe.buffer.size': '4194304',
      'log.cleaner.io.buffer.load.factor': '0.5',
      'log.cleaner.io.buffer.size': '65536',
      'log.cleaner.io.max.bytes.per.second': '1e6',
      'log.cleaner.backoff.ms': '10',
    }
    for (const [name, value] of Object.entries(values)) {
      const type = ConfigResourceType.BROKER
      await metadata.commit([{ kind: 'configSet', type, resourceName: '', name, value }])
    }
    assert.deepEqual(cleanerConfigOf(config), {
      isEnabled: false,
      threadCount: 2,
      dedupeBufferBytes: 4_194_304,
      dedupeLoadFactor: 0.5,
      ioBufferBytes: 65_536,
      maxIoBytesPerSecond: 1_000_000,
      backoffMs: 10,
    })
  })
})
