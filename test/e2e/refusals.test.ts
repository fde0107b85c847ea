import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { MemoryFileSystem } from '../../src/adapters/memory-file-system.ts'
import {
  DATA_DIR,
  featureOf,
  kafkaDirectory,
  contentOf as memoryContentOf,
} from '../unit/app/data-directory/kafka-directory.ts'
import { brokerOf, topicOf, UUID } from '../unit/cluster/standalone/metadata-records.ts'
import {
  cleanUp,
  type Ended,
  ended,
  newDirectory,
  runSpool,
  type Server,
  serve,
  spawnSpool,
  stop,
} from './spool-process.ts'

after(cleanUp)

const FREE_PORTS = ['--kafka', '127.0.0.1:0', '--no-nats', '--no-http']
const NOBODY = 65_534

/** Every file with its content, to see that nothing was touched. */
function contentOf(directory: string): Map<string, string> {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort()
  const files = names.filter((name) => statSync(join(directory, name)).isFile())
  return new Map(files.map((name) => [name, readFileSync(join(directory, name), 'base64')]))
}

/** One sentence on the standard error, nothing on the standard output, no stack. */
function assertRefused(result: Ended, reason: RegExp): void {
  assert.notEqual(result.code, 0, result.stdout)
  assert.equal(result.stdout, '')
  const [first = '', ...more] = result.stderr.trimEnd().split('\n')
  assert.match(first, /^spool: /)
  assert.match(first, reason)
  assert.ok(more.length <= 1, `more than a sentence and a hint: ${result.stderr}`)
  assert.doesNotMatch(result.stderr, /^\s+at /m)
}

describe('spool serve refuses with one sentence and touches nothing', () => {
  const wrongUsage: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['an unknown flag', ['--nonsense'], /unknown option '--nonsense'/],
    ['an unknown configuration', ['--set', 'num.partition=3'], /num\.partition\b.*num\.partitions/],
    [
      'a value of the wrong kind',
      ['--set', 'num.partitions=many'],
      /many for configuration num\.partitions: Not a number/,
    ],
    [
      'a value out of range',
      ['--set', 'num.partitions=0'],
      /0 for configuration num\.partitions: .*at least 1/,
    ],
    ['a setting without a value', ['--set', 'num.partitions'], /num\.partitions/],
    ['an unknown log level', ['--log-level', 'loud'], /loud/],
    ['a port that is none', ['--kafka', '127.0.0.1:99999'], /99999/],
    ['an address for all without --allow-anonymous', ['--kafka', '0.0.0.0:0'], /--allow-anonymous/],
    ['an address of IPv6 for all', ['--kafka', '[::]:0'], /--allow-anonymous/],
    ['an HTTP address for all', ['--http', '0.0.0.0:0'], /--allow-anonymous/],
    ['a configuration file that is not there', ['--config', '/nowhere/x.properties'], /\/nowhere/],
  ]
  for (const [what, args, reason] of wrongUsage) {
    it(`${what}`, async () => {
      const directory = join(newDirectory(), 'data')
      // What is given twice, the last one counts: the case under test comes last.
      const result = await runSpool('serve', '--data-dir', directory, ...FREE_PORTS, ...args)
      assertRefused(result, reason)
      assert.deepEqual(readdirSync(join(directory, '..')), [], 'no data directory was made')
    })
  }
})

describe('spool serve leaves alone what it cannot have', () => {
  it('a port in use, and names the process that has it', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as { port: number }
    const directory = newDirectory()
    const address = ['--kafka', `127.0.0.1:${port}`, '--no-nats', '--no-http']
    const result = await runSpool('serve', '--data-dir', directory, ...address)
    server.close()
    assertRefused(result, new RegExp(`127\\.0\\.0\\.1:${port}.*in use.*${process.pid}`))
  })

  it('a data directory that another broker has, and names its process', async () => {
    const first = await serve(newDirectory())
    const before = contentOf(first.directory)
    const result = await runSpool('serve', '--data-dir', first.directory, ...FREE_PORTS)
    assertRefused(result, new RegExp(`${first.directory}.*in use by .*${first.child.pid}`))
    assert.deepEqual(contentOf(first.directory), before)
    assert.equal(await stop(first), 0)
  })

  it('a directory with files of somebody else', async () => {
    const directory = newDirectory()
    writeFileSync(join(directory, 'letter.txt'), 'dear all')
    const result = await runSpool('serve', '--data-dir', directory, ...FREE_PORTS)
    assertRefused(result, new RegExp(directory))
    assert.deepEqual(contentOf(directory), new Map([['letter.txt', btoa('dear all')]]))
  })

  it('a data directory that is a file', async () => {
    const file = join(newDirectory(), 'file')
    writeFileSync(file, 'content')
    const result = await runSpool('serve', '--data-dir', file, ...FREE_PORTS)
    assertRefused(result, new RegExp(file))
    assert.equal(readFileSync(file, 'utf8'), 'content')
  })

  it('a data directory it must not read', async () => {
    const parent = newDirectory()
    const directory = join(parent, 'closed')
    mkdirSync(directory)
    chmodSync(directory, 0o000)
    chmodSync(parent, 0o755)
    // Permissions do not hold the superuser back, so the broker runs as somebody else.
    const isSuperuser = process.getuid?.() === 0
    const identity = isSuperuser ? { uid: NOBODY, gid: NOBODY } : {}
    const args = ['serve', '--data-dir', directory, ...FREE_PORTS]
    const result = await ended(spawnSpool(args, identity))
    chmodSync(directory, 0o755)
    assertRefused(result, new RegExp(directory))
    assert.deepEqual(readdirSync(directory), [])
  })
})

describe('commands refuse with one sentence', () => {
  const cases: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['an unknown command', ['dance'], /unknown command 'dance'/],
    ['an unknown command of a command', ['topic', 'paint', 't'], /unknown command 'paint'/],
    ['an unknown option', ['topic', 'list', '--all'], /unknown option '--all'/],
    ['an argument too few', ['topic', 'describe'], /missing required argument 'topic'/],
    ['an argument too many', ['status', 'now'], /too many arguments/],
    ['an option without its value', ['consume', 't', '--count'], /--count <count>.*missing/],
    ['a choice that is none', ['produce', 't', '--acks', '2'], /'2' is invalid.*0, 1, all/],
    ['an unknown codec', ['produce', 't', '--compression', 'zip'], /'zip' is invalid.*lz4, zstd/],
    ['an unknown output format', ['topic', 'list', '-o', 'xml'], /-o "xml"/],
    ['too few partitions', ['topic', 'create', 't', '-p', '0'], /--partitions "0"/],
    ['too few replicas', ['topic', 'create', 't', '-r', '0'], /--replication-factor "0"/],
    ['a config without value', ['topic', 'create', 't', '-c', 'x'], /--config "x"/],
    ['nothing to change', ['topic', 'alter', 't'], /--partitions, --config or --reset/],
    ['a header without value', ['produce', 't', '-H', 'x'], /--header "x" is not name=value/],
    ['a partition that is no number', ['consume', 't', '-p', 'one'], /--partition "one"/],
    ['a count that is no number', ['consume', 't', '-n', '-1'], /--count "-1"/],
    ['a time limit of 0', ['consume', 't', '--timeout', '0'], /--timeout "0"/],
    ['both kinds of start', ['consume', 't', '--offset', '1', '--from-beginning'], /exclude/],
    ['no place to reset to', ['group', 'reset-offsets', 'g', 't'], /'--to <place>' not specified/],
    ['a bench of nothing', ['bench', '--records', '0'], /--records "0"/],
    ['a port that is none', ['doctor', '--kafka', '127.0.0.1:99999'], /99999/],
    ['logs where none are', ['log', 'verify', '/nowhere'], /\/nowhere/],
    ['a dump of nothing', ['log', 'dump', '/nowhere'], /\/nowhere is not there/],
    ['a backup of nothing', ['backup', '/nowhere/b', '--data-dir', '/nowhere/d'], /\/nowhere\/d/],
    ['a restore of nothing', ['restore', '/nowhere/b', '--data-dir', '/nowhere/d'], /\/nowhere\/b/],
  ]
  for (const [what, args, reason] of cases) {
    it(what, async () => assertRefused(await runSpool(...args), reason))
  }

  const clients: readonly (readonly string[])[] = [
    ['topic', 'list'],
    ['topic', 'create', 't'],
    ['produce', 't'],
    ['consume', 't'],
    ['group', 'list'],
    ['group', 'reset-offsets', 'g', 't', '--to', 'latest'],
    ['status'],
    ['bench'],
  ]
  for (const args of clients) {
    it(`no broker there: ${args.join(' ')}`, async () => {
      const result = await runSpool(...args, '-b', '127.0.0.1:1')
      assertRefused(result, /no broker answers at 127\.0\.0\.1:1: start one .*"spool serve".* -b/)
      assert.equal(result.code, 1)
    })
  }
})

describe('commands say what a broker refused, and what to do', () => {
  let server: Server
  before(async () => {
    server = await serve(newDirectory())
    assert.equal((await runSpool('topic', 'create', 't', '-b', server.bootstrap)).code, 0)
  })
  after(async () => {
    assert.equal(await stop(server), 0)
    assert.equal(server.errors(), '')
  })

  const cases: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['a topic that is there', ['topic', 'create', 't'], /the topic t is there already/],
    ['a name that is none', ['topic', 'create', 'a b'], /'a b' contains .*other than ASCII/],
    ['too many replicas', ['topic', 'create', 'u', '-r', '3'], /3 time.*only 1 broker/],
    ['an unknown config', ['topic', 'create', 'u', '-c', 'no.such=1'], /no\.such/],
    ['the same, of a topic', ['topic', 'alter', 't', '-c', 'no.such=1'], /no\.such/],
    ['an unknown config to reset', ['topic', 'alter', 't', '--reset', 'no.such'], /no\.such/],
    ['a bad value', ['topic', 'alter', 't', '-c', 'retention.ms=soon'], /soon.*retention\.ms/],
    ['fewer partitions', ['topic', 'alter', 't', '-p', '1'], /has 1 partitions.*only become more/],
    ['a topic to describe that is not there', ['topic', 'describe', 'x'], /there is no topic x/],
    [
      'a topic to change that is not there',
      ['topic', 'alter', 'x', '-p', '2'],
      /there is no topic x/,
    ],
    ['topics to delete, one not there', ['topic', 'delete', 't', 'x'], /there is no topic x/],
    ['a topic to read that is not there', ['consume', 'x'], /there is no topic x/],
    ['a partition that is not there', ['consume', 't', '-p', '9'], /t has no partition 9, only 0/],
    ['a group that is not there', ['group', 'describe', 'g'], /there is no group g/],
    ['a group to delete, not there', ['group', 'delete', 'g'], /there is no group g/],
    ['no topic for a group', ['group', 'reset-offsets', 'g', 'x', '--to', '0'], /no topic x/],
    ['a time that is none', ['group', 'reset-offsets', 'g', 't', '--to', '-5'], /--to "-5" is not/],
  ]
  for (const [what, args, reason] of cases) {
    it(what, async () => assertRefused(await runSpool(...args, '-b', server.bootstrap), reason))
  }

  const lines: readonly (readonly [string, readonly string[], string, RegExp])[] = [
    ['a partition that is not there', ['t', '-p', '9'], 'x', /t has no partition 9, only 0/],
    ['a partition of no topic', ['x', '-p', '0'], 'x', /there is no topic x/],
    ['a line without a key', ['t', '-k', ':'], 'a:b\nc\n', /no key separator ":": c/],
    ['a name that is none', ['a b'], 'x', /"a b" can't be written to/],
    ['a topic of the broker', ['__consumer_offsets'], 'x', /"__consumer_offsets" can't be written/],
    ['a line too large', ['t'], 'a'.repeat(2_000_000), /max\.message\.bytes of t: raise it with/],
  ]
  for (const [what, args, input, reason] of lines) {
    it(`produce: ${what}`, async () => {
      const options = { stdin: 'pipe' } as const
      const child = spawnSpool(['produce', ...args, '-b', server.bootstrap], options)
      child.stdin?.end(input)
      assertRefused(await ended(child), reason)
    })
  }

  it('touched nothing', async () => {
    const listed = await runSpool('topic', 'list', '-o', 'json', '-b', server.bootstrap)
    assert.deepEqual(JSON.parse(listed.stdout), [{ topic: 't', partitions: 1, replicas: 1 }])
    const read = ['consume', 't', '--from-beginning', '--timeout', '100', '-b', server.bootstrap]
    assert.equal((await runSpool(...read)).stdout, '')
  })
})

/** A data directory as Kafka leaves it, on the real disk. */
function onDisk(kafka: MemoryFileSystem): string {
  const directory = join(newDirectory(), 'kafka')
  for (const [path, content] of memoryContentOf(kafka)) {
    const target = join(directory, path.slice(DATA_DIR.length))
    if (content === 'directory') mkdirSync(target, { recursive: true })
    else {
      mkdirSync(dirname(target), { recursive: true })
      writeFileSync(target, Buffer.from(content, 'hex'))
    }
  }
  return directory
}

describe('spool serve leaves alone a directory of Kafka that one node can not have', () => {
  const otherNode = { replicas: [2], directories: [UUID.otherDirectory] }
  const voters = [
    [1, UUID.directory],
    [2, UUID.otherDirectory],
  ] as const
  const cases: readonly (readonly [string, MemoryFileSystem, RegExp])[] = [
    [
      'with partitions of other nodes',
      kafkaDirectory({ records: topicOf('orders', otherNode) }),
      /served: orders-0 has the replicas \[2\], .*reassign them with Kafka first$/,
    ],
    ['with more voters', kafkaDirectory({ voters }), /the voters \[1, 2\]/],
    [
      'of a newer metadata.version',
      kafkaDirectory({ records: [featureOf(34)] }),
      /metadata\.version 34/,
    ],
    [
      'with two log directories',
      kafkaDirectory({
        records: [brokerOf({ logDirs: [UUID.directory, UUID.otherDirectory] })],
      }),
      /2 log directories/,
    ],
    [
      'without a cluster id',
      kafkaDirectory({ nodeId: 1, metaProperties: 'version=1\nnode.id=1\ncluster.id=\n' }),
      /cluster\.id/,
    ],
  ]
  for (const [what, kafka, reason] of cases) {
    it(what, async () => {
      const directory = onDisk(kafka)
      const before = contentOf(directory)
      const result = await runSpool('serve', '--data-dir', directory, ...FREE_PORTS)
      assertRefused(result, reason)
      assert.deepEqual(contentOf(directory), before)
    })
  }
})
