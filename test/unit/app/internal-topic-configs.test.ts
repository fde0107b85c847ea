import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { FilePartitionLog } from '../../../src/storage/partition-log.ts'
import { ConfiguredBroker } from './configured-broker.ts'

const TOPICS = [
  ['__consumer_offsets', 'offsets.topic.segment.bytes'],
  ['__transaction_state', 'transaction.state.log.segment.bytes'],
  ['__share_group_state', 'share.coordinator.state.topic.segment.bytes'],
] as const

describe('segments of an internal topic are as long as its broker config says', () => {
  for (const [topic, config] of TOPICS) {
    it(config, async () => {
      for (const [configs, segmentBytes] of [
        [{ [config]: '2097152' }, 2_097_152],
        [{}, 104_857_600],
      ] as const) {
        const broker = await ConfiguredBroker.start(configs, {})
        assert.equal(broker.core.automaticTopics.ensure(topic), 'creating')
        await broker.settle()
        const log = broker.core.registry.partition(topic, 0)?.log as FilePartitionLog
        assert.equal(log.config.segmentBytes, segmentBytes)
        await broker.stop()
      }
    })
  }
})
