import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { OFFSET_MAP_SLOT_BYTES, OffsetMap } from '../../../../src/storage/cleaner/offset-map.ts'

const SECRET = [1, 2, 3, 4]
const SPAN = { firstOffset: 0, offsetCount: 1000 }

const put = (map: OffsetMap, key: Buffer, offset: number): boolean =>
  map.put(key, 0, key.length, offset)

const get = (map: OffsetMap, key: Buffer): number => map.newestOffset(key, 0, key.length)

describe('the offset map of the cleaner', () => {
  it('answers the newest offset of each key, as a map without limits does', () => {
    const puts = fc.array(fc.uint8Array({ maxLength: 3 }), { maxLength: 200 })
    fc.assert(
      fc.property(puts, (keys) => {
        const map = new OffsetMap(300 * OFFSET_MAP_SLOT_BYTES, 0.9, SECRET, SPAN)
        const model = new Map<string, number>()
        for (const [offset, key] of keys.entries()) {
          assert(put(map, Buffer.from(key), offset))
          model.set(Buffer.from(key).toString('hex'), offset)
        }
        for (const [hex, offset] of model) assert.equal(get(map, Buffer.from(hex, 'hex')), offset)
        assert.equal(get(map, Buffer.from('not there')), -1)
        assert.equal(map.size, model.size)
        assert.equal(map.latestOffset, keys.length - 1)
      }),
    )
  })

  it('takes nothing more when it is full, as in Kafka not for a key it has either', () => {
    const map = new OffsetMap(10 * OFFSET_MAP_SLOT_BYTES, 0.5, SECRET, SPAN)
    assert.equal(map.capacity, 5)
    for (let index = 0; index < 5; index++) assert(put(map, Buffer.from([index]), index))
    assert.equal(put(map, Buffer.from('new'), 5), false)
    assert.equal(put(map, Buffer.from([2]), 6), false)
    assert.deepEqual([get(map, Buffer.from([2])), map.size, map.latestOffset], [2, 5, 4])
  })

  it('has room for one key and an empty slot, whatever the limits say', () => {
    assert.equal(new OffsetMap(0, 0.5, SECRET, SPAN).capacity, 1)
    assert.equal(new OffsetMap(10 * OFFSET_MAP_SLOT_BYTES, 1, SECRET, SPAN).capacity, 9)
    assert.equal(new OffsetMap(10 * OFFSET_MAP_SLOT_BYTES, 0.01, SECRET, SPAN).capacity, 1)
  })

  it('knows how far it looked without any key', () => {
    const map = new OffsetMap(10 * OFFSET_MAP_SLOT_BYTES, 0.5, SECRET, SPAN)
    put(map, Buffer.from('a'), 3)
    map.updateLatestOffset(2)
    assert.equal(map.latestOffset, 3)
    map.updateLatestOffset(9)
    assert.equal(map.latestOffset, 9)
  })

  it('says which record of a key is the newest, within its span, before it, and beyond its bits', () => {
    const firstOffset = 1_000_000_000_000
    // Memory for 32 times 2 offsets.
    const map = new OffsetMap(11 * OFFSET_MAP_SLOT_BYTES, 0.9, SECRET, {
      firstOffset,
      offsetCount: 300,
    })
    const keyOf = (index: number) => Buffer.from(`key ${index % 7}`)
    for (let index = 0; index < 200; index++) assert(put(map, keyOf(index), firstOffset + index))
    for (let index = -20; index < 0; index++) {
      const key = keyOf(index + 21)
      const isNewest = map.isNewest(key, 0, key.length, firstOffset + index)
      assert.equal(isNewest, false, `before the span, ${index}`)
    }
    for (let index = 0; index < 200; index++) {
      const key = keyOf(index)
      const isNewest = map.isNewest(key, 0, key.length, firstOffset + index)
      assert.equal(isNewest, index >= 193, `offset ${index}`)
    }
    const other = Buffer.from('only before')
    assert(map.isNewest(other, 0, other.length, firstOffset - 1))
  })
})
