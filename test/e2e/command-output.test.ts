import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { Consumer } from '@platformatic/kafka'
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

/*
 * Every command of `spool` with both kinds of output. What people read must have a heading and the values;
 * what programs read must be JSON and nothing else.
 */

let server: Server
before(async () => {
  server = await serve(newDirectory())
})
after(cleanUp)

async function output(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runSpool(...args)
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
  return stdout
}

const table = (...args: readonly string[]) => output(...args, '-b', server.bootstrap)
const json = async (...args: readonly string[]) =>
  JSON.parse(await output(...args, '-b', server.bootstrap, '--output', 'json'))

/** Runs `spool produce` with lines on its standard input. */
async function produce(lines: string, ...args: readonly string[]): Promise<Ended> {
  const child = spawnSpool(['produce', ...args, '-b', server.bootstrap], { stdin: 'pipe' })
  child.stdin?.end(lines)
  return await ended(child)
}

/** Joins the words of a line, which stand in columns. */
const words = (line: string | undefined): string => (line ?? '').trim().replaceAll(/\s+/g, ' ')

describe('spool topic prints', () => {
  it('what create, list, describe, alter and delete did', async () => {
    const made = ['topic', 'create', 'first', '--partitions', '2', '--replication-factor', '1']
    const setting = ['--config', 'retention.ms=60000']
    assert.equal(await table(...made, ...setting), 'created first with 2 partitions\n')
    assert.deepEqual(await json('topic', 'create', 'second'), { topic: 'second', partitions: 1 })
    const [heading, row] = (await table('topic', 'list')).split('\n')
    assert.deepEqual([words(heading), words(row)], ['TOPIC PARTITIONS REPLICAS', 'first 2 1'])
    assert.deepEqual(await json('topic', 'list'), [
      { topic: 'first', partitions: 2, replicas: 1 },
      { topic: 'second', partitions: 1, replicas: 1 },
    ])
    const described = (await table('topic', 'describe', 'first')).split('\n').map(words)
    assert.equal(described[0], 'PARTITION LEADER REPLICAS ISR FIRST OFFSET END OFFSET RECORDS')
    assert.equal(described[2], '1 1 1 1 0 0 0')
    assert.ok(described.includes('retention.ms 60000 true'))
    assert.equal((await json('topic', 'describe', 'first')).configs.length, 38)
    assert.equal(await table('topic', 'alter', 'first', '-p', '3'), 'changed first\n')
    const altered = await json('topic', 'alter', 'first', '--reset', 'retention.ms')
    assert.deepEqual(altered, { topic: 'first' })
    assert.equal(await table('topic', 'delete', 'first'), 'deleted first\n')
    assert.deepEqual(await json('topic', 'delete', 'second'), { deleted: ['second'] })
    assert.deepEqual(await json('topic', 'list'), [])
  })
})

describe('spool produce and spool consume', () => {
  before(() => table('topic', 'create', 'lines', '-p', '2'))

  it('send lines with keys, headers, acks and codecs, and print them', async () => {
    const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
    for (const [index, compression] of codecs.entries()) {
      const acks = ['0', '1', 'all'][index % 3] ?? 'all'
      const how = ['--acks', acks, '--compression', compression, '--partition', '1']
      const what = ['--key-separator', ':', '--header', 'n=1', '--header', 'n=2']
      const sent = await produce(`${index}:${compression}\r\n`, 'lines', ...how, ...what)
      assert.deepEqual(sent, { code: 0, stdout: 'sent 1 records to lines\n', stderr: '' })
    }
    const last = await produce('5:no end of line', 'lines', '-k', ':', '-p', '1', '-o', 'json')
    assert.deepEqual(JSON.parse(last.stdout), { topic: 'lines', sent: 1 })
    const all = ['consume', 'lines', '--from-beginning', '--count', '6']
    const texts = [...codecs, 'no end of line']
    const lines = texts.map((text, index) => `${index}\t${text}\n`).join('')
    assert.equal(await table(...all, '--print-key'), lines)
    const printed = await output(...all, '-o', 'json', '-b', server.bootstrap)
    const records = printed
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    assert.deepEqual(
      records.map(({ partition, offset, key, value }) => [partition, offset, key, value]),
      texts.map((text, index) => [1, index, String(index), text]),
    )
    assert.deepEqual(records[0].headers, [
      ['n', '1'],
      ['n', '2'],
    ])
  })

  it('in a group goes on where it stopped, at an offset and of a partition when told so', async () => {
    const inGroup = ['consume', 'lines', '--group', 'readers', '--count', '2']
    assert.equal(await table(...inGroup, '--from-beginning'), 'none\ngzip\n')
    assert.equal(await table(...inGroup), 'snappy\nlz4\n')
    assert.equal(
      await table(...inGroup, '--offset', '5', '--timeout', '1000', '-p', '1'),
      'no end of line\n',
    )
  })
})

describe('spool group prints', () => {
  it('what list, describe, reset-offsets and delete see and do, of both protocols', async () => {
    const consumer = new Consumer({
      clientId: 'modern',
      bootstrapBrokers: [server.bootstrap],
      groupId: 'modern',
      groupProtocol: 'consumer',
      maxWaitTime: 100,
    })
    await consumer.consume({ topics: ['lines'] })
    const listed = (await table('group', 'list')).trimEnd().split('\n').map(words)
    assert.equal(listed[0], 'GROUP TYPE STATE MEMBERS')
    assert.equal(listed[2], 'readers classic Empty 0')
    const [modern, readers] = await json('group', 'list')
    assert.deepEqual([modern.group, modern.type, modern.members], ['modern', 'consumer', 1])
    assert.deepEqual(readers, { group: 'readers', type: 'classic', state: 'Empty', members: 0 })
    const { members } = await json('group', 'describe', 'modern')
    assert.deepEqual([members[0].client, members[0].host], ['modern', '/127.0.0.1'])
    const busy = ['group', 'reset-offsets', 'modern', 'lines', '--to', 'latest']
    const refused = await runSpool(...busy, '-b', server.bootstrap)
    assert.match(refused.stderr, /^spool: the group modern has members \(\w+\): stop them/)
    await consumer.close(true)

    const reset = ['group', 'reset-offsets', 'readers', 'lines', '--to']
    const [heading, first] = (await table(...reset, 'earliest')).split('\n').map(words)
    assert.deepEqual([heading, first], ['TOPIC PARTITION COMMITTED OFFSET', 'lines 0 0'])
    const committed = async (to: string) =>
      (await json(...reset, to)).map((row: { committedOffset: number }) => row.committedOffset)
    assert.deepEqual(await committed('latest'), [0, 6])
    assert.deepEqual(await committed('4'), [0, 4])
    assert.deepEqual(await committed('2001-01-01'), [0, 0])
    assert.deepEqual(await committed('2100-01-31T12:00Z'), [0, 6])
    const text = (await table('group', 'describe', 'readers')).split('\n').map(words)
    assert.equal(text[0], 'readers: Empty, classic protocol')
    assert.ok(text.includes('lines 1 6 6 0'))
    assert.equal(await table('group', 'delete', 'modern'), 'deleted modern\n')
    assert.deepEqual(await json('group', 'delete', 'readers'), { deleted: ['readers'] })
  })
})

describe('spool group reset-offsets on a new broker', () => {
  it('waits until there is a coordinator', async () => {
    const fresh = await serve(newDirectory())
    const broker = ['-b', fresh.bootstrap]
    await output('topic', 'create', 'orders', ...broker)
    const reset = ['group', 'reset-offsets', 'readers', 'orders', '--to', 'earliest', '-o', 'json']
    const rows = JSON.parse(await output(...reset, ...broker))
    assert.deepEqual(rows, [{ topic: 'orders', partition: 0, committedOffset: 0 }])
    assert.equal(await stop(fresh), 0)
  })
})

describe('spool status, doctor and bench print', () => {
  it('who the cluster is and how much it holds', async () => {
    const status = await json('status')
    assert.deepEqual(status.brokers, [{ broker: 1, address: server.bootstrap, controller: true }])
    const [first, , heading] = (await table('status')).split('\n').map(words)
    assert.match(
      first ?? '',
      new RegExp(`^cluster ${status.clusterId}: \\d+ topics, \\d+ partitions`),
    )
    assert.equal(heading, 'BROKER ADDRESS CONTROLLER')
  })

  it('what a broker would find, with exit code 0 unless it could not start', async () => {
    const where = [join(newDirectory(), 'new'), '--kafka', '127.0.0.1:0']
    const text = (await output('doctor', ...where)).split('\n').map(words)
    assert.equal(text[0], 'CHECK STATE DETAIL')
    const rows = JSON.parse(await output('doctor', ...where, '-o', 'json'))
    assert.ok(rows.every(({ state }: { state: string }) => state !== 'problem'))
    const file = await runSpool('doctor', join(server.directory, 'meta.properties'))
    assert.equal(file.code, 1)
    assert.match(file.stdout, /problem .*meta\.properties is no directory/)
  })

  it('how quick it is, and leave nothing behind', async () => {
    const load = ['bench', '--records', '500', '--size', '100', '--partitions', '2']
    const rows = await json(...load)
    assert.deepEqual(
      rows.map(({ work, records }: { work: string; records: number }) => [work, records]),
      [
        ['produce', 500],
        ['consume', 500],
      ],
    )
    assert.match(
      await table(...load),
      /^WORK +RECORDS +SECONDS +RECORDS PER SECOND +MB PER SECOND\n/,
    )
    assert.deepEqual(
      (await json('topic', 'list')).map(({ topic }: { topic: string }) => topic),
      ['lines'],
    )
    assert.deepEqual(await json('group', 'list'), [])
  })
})

describe('spool log dump and log verify, of a broker that runs', () => {
  it('print batches and records, and that nothing is damaged', async () => {
    const directory = join(server.directory, 'lines-1')
    const text = await output('log', 'dump', directory, '--records')
    assert.match(text, /^batch position=0 .*codec=none/m)
    assert.match(text, /^record .*"?gzip/m)
    const rows = (await output('log', 'dump', directory, '-o', 'json')).trimEnd().split('\n')
    const types = new Set(rows.map((row) => JSON.parse(row).type))
    assert.ok(types.has('file') && types.has('batch') && !types.has('record'))
    assert.match(await output('log', 'verify', server.directory), /, 6 records|: 0 problems\n$/)
    const verified = JSON.parse(await output('log', 'verify', server.directory, '-o', 'json'))
    assert.deepEqual(verified.findings, [])
    assert.ok(verified.recordCount >= 6)
  })
})

describe('the options that all commands share', () => {
  it('take the broker from SPOOL_BOOTSTRAP, and print help and the default of -o', async () => {
    const env = { ...process.env, SPOOL_BOOTSTRAP: server.bootstrap }
    const listed = await ended(spawnSpool(['topic', 'list', '-o', 'json'], { env }))
    assert.deepEqual(JSON.parse(listed.stdout), [{ topic: 'lines', partitions: 2, replicas: 1 }])
    const commands = ['serve', 'status', 'doctor', 'bench', 'topic', 'produce', 'consume', 'group']
    const help = await output('--help')
    for (const command of [...commands, 'log', 'backup', 'restore']) {
      assert.match(help, new RegExp(`^ +${command}\\b`, 'm'))
    }
    assert.match(
      await output('topic', 'list', '--help'),
      /--output <format> .*\(default: "table"\)/s,
    )
  })
})

describe('the broker under the commands', () => {
  it('stops cleanly and had nothing to complain about', async () => {
    assert.equal(await stop(server), 0)
    assert.equal(server.errors(), '')
  })
})
