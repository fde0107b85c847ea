import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { MemoryFileSystem } from '../../../src/adapters/memory-file-system.ts'
import { LeaderEpochCache } from '../../../src/storage/leader-epoch-cache.ts'

function cacheOf(...entries: readonly (readonly [number, number])[]): LeaderEpochCache {
  const cache = new LeaderEpochCache()
  for (const [epoch, startOffset] of entries) cache.assign(epoch, startOffset)
  return cache
}

const end = (cache: LeaderEpochCache, epoch: number, current = 6, logEnd = 50) => {
  const found = cache.endOffsetFor(epoch, current, logEnd)
  return found && [found.leaderEpoch, found.endOffset]
}

describe('OffsetForLeaderEpoch (KIP-101)', () => {
  const cache = cacheOf([2, 10], [4, 20], [6, 30])

  it('answers the current epoch with the log end', () => {
    assert.deepEqual(end(cache, 6), [6, 50])
  })

  it('answers a known epoch with the start of the next one', () => {
    assert.deepEqual(end(cache, 2), [2, 20])
    assert.deepEqual(end(cache, 4), [4, 30])
  })

  it('answers an epoch without records with the one before it', () => {
    assert.deepEqual(end(cache, 5), [4, 30])
  })

  it('answers an epoch before all known ones with the start of the first', () => {
    assert.deepEqual(end(cache, 1), [1, 10])
  })

  it('does not know an epoch above the current one', () => {
    assert.equal(end(cache, 7), null)
    assert.equal(end(cache, -1), null)
  })

  it('knows the current epoch before it wrote anything', () => {
    assert.deepEqual(end(cache, 8, 8), [8, 50])
    assert.deepEqual(end(cache, 7, 8), [6, 50])
    assert.deepEqual(end(new LeaderEpochCache(), 3, 3, 0), [3, 0])
  })
})

describe('the epoch of an offset', () => {
  it('is the one that started last at or before it', () => {
    const cache = cacheOf([2, 10], [4, 20])
    assert.deepEqual(
      [9, 10, 19, 20, 1000].map((offset) => cache.epochForOffset(offset)),
      [-1, 2, 2, 4, 4],
    )
  })

  it('forgets an epoch that wrote nothing', () => {
    const cache = cacheOf([2, 10], [3, 20], [4, 20])
    assert.equal(cache.epochForOffset(20), 4)
    assert.deepEqual(end(cache, 3), [2, 20])
  })

  it('follows the log when it is cut at either end', () => {
    const cache = cacheOf([2, 10], [4, 20], [6, 30])
    cache.truncateFromEnd(30)
    assert.equal(cache.latestEpoch, 4)
    cache.truncateFromStart(15)
    assert.equal(cache.epochForOffset(12), -1)
    assert.equal(cache.epochForOffset(15), 2)
    cache.truncateFromStart(25)
    assert.deepEqual([cache.epochForOffset(24), cache.epochForOffset(25)], [-1, 4])
  })

  it('is read back from the file', () => {
    const fs = new MemoryFileSystem()
    fs.makeDirectory('/t')
    cacheOf([0, 0], [6, 20]).save(fs, '/t')
    assert.equal(fs.readFile('/t/leader-epoch-checkpoint').toString(), '0\n2\n0 0\n6 20\n')
    const cache = LeaderEpochCache.load(fs, '/t')
    assert.equal(cache.isDirty, false)
    assert.deepEqual([cache.epochForOffset(19), cache.epochForOffset(20)], [0, 6])
  })

  it('refuses a file whose offsets go back', () => {
    const fs = new MemoryFileSystem()
    fs.makeDirectory('/t')
    fs.writeFileAtomic('/t/leader-epoch-checkpoint', '0\n2\n0 20\n6 10\n')
    assert.throws(() => LeaderEpochCache.load(fs, '/t'), /remove it to rebuild it/)
  })
})
