import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { MemoryFileSystem } from '../../../../src/adapters/memory-file-system.ts'
import { ConfigError } from '../../../../src/base/errors.ts'
import { loadNodeIdentity } from '../../../../src/cluster/standalone/meta-properties.ts'
import { CountingRandom } from '../../support/ports.ts'

const PATH = '/data/meta.properties'

function load(fs: MemoryFileSystem, nodeId = 1) {
  return loadNodeIdentity({ fs, dataDir: '/data', nodeId, random: new CountingRandom() })
}

function directoryWith(text: string): MemoryFileSystem {
  const fs = new MemoryFileSystem()
  fs.makeDirectory('/data')
  fs.writeFileAtomic(PATH, text)
  return fs
}

/** The directory is refused with a text that fits, and its file stays as it was. */
function refuses(text: string, expected: RegExp, nodeId = 1): void {
  const fs = directoryWith(text)
  assert.throws(
    () => load(fs, nodeId),
    (error) => error instanceof ConfigError && expected.test(error.message),
  )
  assert.equal(fs.readFile(PATH).toString(), text)
}

describe('meta.properties (KIP-858)', () => {
  it('is made on the first start and read on the next', () => {
    const fs = new MemoryFileSystem()
    const made = load(fs)
    assert.match(
      fs.readFile(PATH).toString(),
      /^#\nversion=1\ncluster\.id=[\w-]{22}\nnode\.id=1\ndirectory\.id=[\w-]{22}\n$/,
    )
    assert.deepEqual(load(fs), made)
  })

  it('is made although a first start was cut off before it was there', () => {
    const fs = new MemoryFileSystem()
    fs.makeDirectory('/data')
    for (const name of ['meta.properties.tmp', '.kafka_cleanshutdown', '.kafka_cleanshutdown.tmp'])
      fs.writeFileAtomic(`/data/${name}`, 'x')
    assert.equal(load(fs).nodeId, 1)
  })

  it('is understood as Kafka writes it', () => {
    const fs = directoryWith(
      '#\n#Wed Nov 25 04:00:00 UTC 2026\ncluster.id=U3Bvb2xQZWVyS2Fma2FBQQ\nversion=1\n' +
        'directory.id=c3Bvb2wtZGlyZWN0b3J5MQ\nnode.id=1\n',
    )
    assert.deepEqual(load(fs), {
      clusterId: 'U3Bvb2xQZWVyS2Fma2FBQQ',
      nodeId: 1,
      directoryId: 'c3Bvb2wtZGlyZWN0b3J5MQ',
    })
  })

  it('of a Kafka before 3.7 has no directory id, and stays as it is', () => {
    const text = 'version=1\ncluster.id=abc\nnode.id=1\n'
    const fs = directoryWith(text)
    assert.deepEqual(load(fs), { clusterId: 'abc', nodeId: 1, directoryId: null })
    assert.equal(fs.readFile(PATH).toString(), text)
  })

  it('of another node refuses the directory and names the remedy', () => {
    refuses(
      'version=1\ncluster.id=abc\nnode.id=7\ndirectory.id=c3Bvb2wtZGlyZWN0b3J5MQ\n',
      /belongs to node 7, but this node is 1; set node\.id=7 or/,
    )
  })

  it('that is unreadable or of another version refuses the directory', () => {
    refuses('\0\0\0', /has version \(none\)/)
    refuses('version=0\nbroker.id=1\n', /has version 0, and only version 1.*upgrade/)
    refuses('version=2\nnode.id=1\n', /has version 2, and only version 1.*newer version/)
    refuses('version=1\nnode.id=1\n', /has no cluster\.id/)
    refuses('version=1\ncluster.id=abc\n', /has no node\.id/)
    refuses('version=1\ncluster.id=abc\nnode.id=1\ndirectory.id=x\n', /directory\.id x/)
  })

  it('is not made in a directory that holds something else', () => {
    const fs = new MemoryFileSystem()
    fs.makeDirectory('/data/photos')
    assert.throws(() => load(fs), /holds photos but no meta\.properties/)
    assert.deepEqual(fs.list('/data'), ['photos'])
  })
})
