import assert from 'node:assert/strict'
import { it } from 'node:test'
import { AtomicBatches } from '../../../../../../src/broker/jetstream/stream/batch/atomic-batches.ts'
import { BatchQuota } from '../../../../../../src/broker/jetstream/stream/batch/batch-quota.ts'
import { withHeaders } from '../../../../../../src/broker/jetstream/stream/message-headers.ts'
import { publishFactsOf } from '../../../../../../src/broker/jetstream/stream/publish-facts.ts'
import { Stream } from '../../../../../../src/broker/jetstream/stream/stream.ts'
import { Partition } from '../../../../../../src/broker/topics/partition.ts'
import { Harness } from '../../../../storage/log-harness.ts'
import { SILENT } from '../../../../support/ports.ts'
import { configOf } from '../stream-harness.ts'

const SEGMENT = '/data/S-0/00000000000000000000.log'

/** Opens the stream on what is on the disk. */
async function openStream(disk: Harness): Promise<Stream> {
  const log = disk.open({}, 'S')
  const partition = new Partition('S', log.topicId, 0)
  partition.attach(log)
  const { clock, scheduler } = disk
  const stream = new Stream({
    ...{ config: configOf({ allow_atomic: true }), clock, scheduler, partition },
    ...{ createdMs: 1, baseSequence: 1, everySubject: ['s.>'], logger: SILENT },
    removals: { floor: 0, blocks: new Map() },
    keepRemovals: (_, done) => done(true),
    stored: () => undefined,
  })
  await disk.until(stream.start())
  return stream
}

it('a batch that was cut off while it was written leaves nothing, wherever it was cut', async () => {
  const disk = new Harness()
  const stream = await openStream(disk)
  const { clock, scheduler } = disk
  const batches = new AtomicBatches({
    ...{ target: stream, clock, scheduler, quota: new BatchQuota(), apiLevel: 4 },
    abandoned: () => undefined,
  })
  stream.publish({ subject: 's.first', headers: null, payload: Buffer.from('x') }, () => undefined)
  disk.settle()
  const firstBytes = disk.fs.readFile(SEGMENT).byteLength
  for (let seq = 1; seq <= 5; seq++) {
    const headers = withHeaders(null, [
      ['Nats-Batch-Id', 'b'],
      ['Nats-Batch-Sequence', String(seq)],
      ...(seq === 5 ? [['Nats-Batch-Commit', '1'] as const] : []),
    ])
    const message = { subject: `s.${seq}`, headers, payload: Buffer.from('payload') }
    batches.take(message, publishFactsOf(headers), () => undefined)
  }
  disk.settle()
  const whole = Buffer.from(disk.fs.readFile(SEGMENT))
  assert.ok(firstBytes > 0 && whole.byteLength > firstBytes)
  for (let length = firstBytes; length <= whole.byteLength; length++) {
    disk.kill()
    disk.fs.writeFileAtomic(SEGMENT, whole.subarray(0, length))
    disk.start()
    const { lastSequence, state } = await openStream(disk)
    const isWhole = length === whole.byteLength
    assert.deepEqual([lastSequence, state.index.messageCount], isWhole ? [6, 6] : [1, 1])
  }
})
