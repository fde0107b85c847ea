import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { StorageError } from '../../../../src/base/errors.ts'
import { METADATA_DIRECTORY, MetadataNode } from './metadata-node.ts'

const VALUE = Buffer.from('the value that matters')

/** Metadata in a log of which some reads have one bit wrong. */
async function nodeWithFlips(flipCount: number): Promise<MetadataNode> {
  const node = new MetadataNode()
  await node.open()
  const value = VALUE.toString()
  await node.commit([
    { kind: 'configSet', type: 4, resourceName: '', name: 'log.retention.ms', value },
  ])
  await node.stop()
  let left = flipCount
  const { fs } = node
  const open = fs.open.bind(fs)
  fs.open = (path, mode) => {
    const handle = open(path, mode)
    if (!path.startsWith(METADATA_DIRECTORY) || !path.endsWith('.log')) return handle
    const read = handle.read.bind(handle)
    handle.read = (into, intoOffset, byteCount, position, done) =>
      read(into, intoOffset, byteCount, position, (error, got) => {
        const at = into.indexOf(VALUE)
        if (at >= 0 && left-- > 0) into[at] = (into[at] as number) ^ 1
        done(error, got)
      })
    return handle
  }
  return node
}

describe('a bit that flips while the metadata is read', () => {
  it('is not believed: the log is read again', async () => {
    const node = await nodeWithFlips(1)
    const { image } = await node.open()
    assert.equal(image.configs(4, '').get('log.retention.ms'), VALUE.toString())
  })

  it('is an error when it is there however often one reads', async () => {
    const node = await nodeWithFlips(100)
    await assert.rejects(node.open(), (error) => {
      return error instanceof StorageError && /metadata log is damaged/.test(error.message)
    })
  })
})
