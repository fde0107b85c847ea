import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ErrorCode } from '../../../../src/base/error-code.ts'
import { NO_TOPIC_ID } from '../../../../src/broker/groups/offset-requests.ts'
import { ControlRecordType } from '../../../../src/records/control-batch.ts'
import { GroupHarness } from './group-harness.ts'

interface Sent {
  readonly producerId?: number
  readonly producerEpoch?: number
  readonly generationId?: number
  readonly memberId?: string
  readonly groupId?: string
  readonly metadata?: string
  readonly admission?: ErrorCode
}

/** A group and the producers that commit to it. */
class Offsets {
  readonly groups = new GroupHarness()
  /** Partitions that a coordinator of transactions was asked for. */
  readonly asked: number[] = []

  async commit(offset: number, sent: Sent = {}): Promise<ErrorCode | undefined> {
    const topics = await this.groups.now(
      this.groups.coordinator.commitTransactionalOffsets(
        {
          groupId: sent.groupId ?? 'g',
          producerId: sent.producerId ?? 7,
          producerEpoch: sent.producerEpoch ?? 0,
          generationId: sent.generationId ?? -1,
          memberId: sent.memberId ?? '',
          groupInstanceId: null,
          topics: [
            {
              name: 'orders',
              topicId: NO_TOPIC_ID,
              partitions: [
                { partition: 0, offset, leaderEpoch: -1, metadata: sent.metadata ?? null },
              ],
            },
          ],
        },
        (index, done) => {
          this.asked.push(index)
          done(sent.admission ?? ErrorCode.NONE)
        },
      ),
    )
    return topics[0]?.partitions[0]?.errorCode
  }

  async end(isCommit: boolean, producerId = 7, producerEpoch = 1): Promise<ErrorCode> {
    const type = isCommit ? ControlRecordType.COMMIT : ControlRecordType.ABORT
    const marker = { producerId, producerEpoch, type, coordinatorEpoch: 0, timestamp: 1 }
    const ended = new Promise<ErrorCode>((resolve) => {
      this.groups.coordinator.endTransaction(0, marker, resolve)
    })
    // NONE is 0, so it is wrapped for `now`, which waits for a value.
    return (await this.groups.now(ended.then((code) => ({ code })))).code
  }

  /** The offset as it is seen without and with `requireStable`. */
  async seen(): Promise<(number | undefined)[]> {
    const seen: (number | undefined)[] = []
    for (const requireStable of [false, true]) {
      const { topics } = await this.groups.now(
        this.groups.coordinator.fetchOffsets({
          groupId: 'g',
          topics: [{ name: 'orders', topicId: NO_TOPIC_ID, partitions: [0] }],
          requireStable,
        }),
      )
      const partition = topics[0]?.partitions[0]
      const isUnstable = partition?.errorCode === ErrorCode.UNSTABLE_OFFSET_COMMIT
      seen.push(isUnstable ? undefined : partition?.offset)
    }
    return seen
  }
}

describe('offsets of a transaction (KIP-98, KIP-447)', () => {
  it('are pending until the commit: the old offset, or UNSTABLE_OFFSET_COMMIT if asked', async () => {
    const offsets = new Offsets()
    assert.equal(await offsets.commit(5), ErrorCode.NONE)
    assert.deepEqual(await offsets.seen(), [-1, undefined])
    assert.equal(await offsets.end(true), ErrorCode.NONE)
    assert.deepEqual(await offsets.seen(), [5, 5])
    assert.equal(await offsets.commit(9, { producerEpoch: 1 }), ErrorCode.NONE)
    assert.deepEqual(await offsets.seen(), [5, undefined])
  })

  it('are forgotten with the abort', async () => {
    const offsets = new Offsets()
    await offsets.commit(5)
    assert.equal(await offsets.end(false), ErrorCode.NONE)
    assert.deepEqual(await offsets.seen(), [-1, -1])
  })

  it('give way to a plain commit that came after them', async () => {
    const offsets = new Offsets()
    await offsets.commit(5)
    await offsets.groups.commitCode(8)
    await offsets.end(true)
    assert.deepEqual(await offsets.seen(), [8, 8])
  })

  it('replace a plain commit that came before them', async () => {
    const offsets = new Offsets()
    await offsets.groups.commitCode(8)
    await offsets.commit(5)
    await offsets.end(true)
    assert.deepEqual(await offsets.seen(), [5, 5])
  })

  it('of one producer are not touched by the end of another', async () => {
    const offsets = new Offsets()
    await offsets.commit(5)
    await offsets.commit(6, { producerId: 8 })
    await offsets.end(false, 8)
    assert.deepEqual(await offsets.seen(), [-1, undefined])
    await offsets.end(true)
    assert.deepEqual(await offsets.seen(), [5, 5])
  })
})

describe('offsets of a transaction over a restart, a failure and time', () => {
  it('are pending again after a restart, and hold with the marker in the log', async () => {
    const offsets = new Offsets()
    await offsets.commit(5)
    offsets.groups.restart()
    assert.deepEqual(await offsets.seen(), [-1, undefined])
    await offsets.end(true)
    offsets.groups.restart()
    assert.deepEqual(await offsets.seen(), [5, 5])
    await offsets.commit(9, { producerEpoch: 1 })
    await offsets.end(false, 7, 2)
    offsets.groups.restart()
    assert.deepEqual(await offsets.seen(), [5, 5])
  })

  it('are lost as a whole when the log fails before they are durable', async () => {
    const offsets = new Offsets()
    await offsets.groups.commitCode(3)
    offsets.groups.log.isSlow = true
    await assert.rejects(offsets.commit(5), /no answer yet/)
    offsets.groups.log.fail()
    offsets.groups.log.isSlow = false
    assert.deepEqual(await offsets.seen(), [3, 3])
  })

  it('do not expire while the transaction is open', async () => {
    const offsets = new Offsets()
    await offsets.groups.commitCode(3)
    await offsets.commit(5)
    await offsets.groups.advance(8 * 86_400_000)
    assert.deepEqual(await offsets.seen(), [3, undefined])
    await offsets.end(false)
    await offsets.groups.advance(600_000)
    assert.deepEqual(await offsets.seen(), [-1, -1])
  })
})

describe('TxnOffsetCommit', () => {
  it('asks the coordinator of the transaction once, and not while it is open here', async () => {
    const offsets = new Offsets()
    await offsets.commit(5)
    await offsets.commit(6)
    assert.deepEqual(offsets.asked, [0])
    await offsets.end(true)
    await offsets.commit(7, { producerEpoch: 1 })
    assert.deepEqual(offsets.asked, [0, 0])
  })

  it('passes on why the coordinator refused, and keeps nothing', async () => {
    const offsets = new Offsets()
    const admission = ErrorCode.INVALID_PRODUCER_ID_MAPPING
    assert.equal(await offsets.commit(5, { admission }), admission)
    assert.deepEqual(await offsets.seen(), [-1, -1])
  })

  it('refuses an older epoch than the open one with INVALID_PRODUCER_EPOCH', async () => {
    const offsets = new Offsets()
    await offsets.commit(5, { producerEpoch: 4 })
    const code = await offsets.commit(6, { producerEpoch: 3 })
    assert.equal(code, ErrorCode.INVALID_PRODUCER_EPOCH)
    assert.equal(await offsets.end(true, 7, 3), ErrorCode.INVALID_PRODUCER_EPOCH)
  })

  it('needs no membership, but what is said of it must be right', async () => {
    const offsets = new Offsets()
    const { memberIds } = await offsets.groups.stable(1)
    const [memberId = ''] = memberIds
    assert.equal(await offsets.commit(5), ErrorCode.NONE)
    assert.equal(await offsets.commit(5, { memberId, generationId: 1 }), ErrorCode.NONE)
    const wrong = { memberId, generationId: 9 }
    assert.equal(await offsets.commit(5, wrong), ErrorCode.ILLEGAL_GENERATION)
    const unknown = { memberId: 'nobody', generationId: 1 }
    assert.equal(await offsets.commit(5, unknown), ErrorCode.UNKNOWN_MEMBER_ID)
    assert.equal(await offsets.commit(5, { memberId }), ErrorCode.ILLEGAL_GENERATION)
  })

  it('refuses a generation of a group that is not there, an empty id and long metadata', async () => {
    const offsets = new Offsets()
    const missing = { groupId: 'missing', generationId: 3, memberId: 'a' }
    assert.equal(await offsets.commit(5, missing), ErrorCode.ILLEGAL_GENERATION)
    assert.equal(await offsets.commit(5, { groupId: '' }), ErrorCode.INVALID_GROUP_ID)
    const metadata = 'm'.repeat(4_097)
    assert.equal(await offsets.commit(5, { metadata }), ErrorCode.OFFSET_METADATA_TOO_LARGE)
  })
})

describe('TxnOffsetCommit to a group of the consumer protocol (KIP-848)', () => {
  it('refuses a stale member epoch with ILLEGAL_GENERATION, which producers know', async () => {
    const offsets = new Offsets()
    const heartbeat = async (memberId: string, memberEpoch: number): Promise<number> => {
      const isFirst = memberEpoch === 0
      const request = {
        ...{ groupId: 'g', client: { clientId: 'app', clientHost: '/10.0.0.1' }, memberId },
        ...{ isMemberIdRequired: true, memberEpoch, instanceId: null, rackId: null },
        rebalanceTimeoutMs: isFirst ? 60_000 : -1,
        subscribedTopicNames: isFirst ? ['orders'] : null,
        ...{ subscribedTopicRegex: null, serverAssignor: null },
        ownedPartitions: isFirst ? [] : null,
      }
      const answer = await offsets.groups.now(offsets.groups.coordinator.consumerHeartbeat(request))
      assert.equal(answer.errorCode, ErrorCode.NONE)
      return answer.memberEpoch
    }
    const stale = await heartbeat('first', 0)
    await offsets.groups.advance(offsets.groups.config.consumerAssignmentIntervalMs)
    await heartbeat('second', 0)
    const epoch = await heartbeat('first', stale)
    assert.ok(epoch > stale, 'another member makes a new epoch')
    const commit = (generationId: number) => offsets.commit(5, { memberId: 'first', generationId })
    assert.equal(await commit(stale), ErrorCode.ILLEGAL_GENERATION)
    assert.equal(await commit(epoch + 1), ErrorCode.ILLEGAL_GENERATION)
    assert.equal(
      await offsets.commit(5, { memberId: 'none', generationId: epoch }),
      ErrorCode.UNKNOWN_MEMBER_ID,
    )
    assert.deepEqual(await offsets.seen(), [-1, -1], 'nothing of it is pending')
    assert.equal(await commit(epoch), ErrorCode.NONE)
    await offsets.end(true)
    assert.deepEqual(await offsets.seen(), [5, 5])
  })
})
