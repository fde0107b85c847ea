import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import {
  cleanUp,
  type Ended,
  ended,
  newDirectory,
  runSpool,
  serve,
  spawnSpool,
  stop,
} from './spool-process.ts'

after(cleanUp)

const FREE_PORTS = ['--kafka', '127.0.0.1:0', '--no-http']
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
    const address = ['--kafka', `127.0.0.1:${port}`, '--no-http']
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
    ['no broker there', ['topic', 'list', '-b', '127.0.0.1:1'], /no broker answers at 127/],
    ['an unknown output format', ['topic', 'list', '-o', 'xml'], /-o "xml"/],
    ['too few partitions', ['topic', 'create', 't', '-p', '0'], /--partitions "0"/],
    ['a config without value', ['topic', 'create', 't', '-c', 'x'], /--config "x"/],
    ['both kinds of start', ['consume', 't', '--offset', '1', '--from-beginning'], /exclude/],
    ['logs where none are', ['log', 'verify', '/nowhere'], /\/nowhere/],
    ['a dump of nothing', ['log', 'dump', '/nowhere'], /\/nowhere is not there/],
  ]
  for (const [what, args, reason] of cases) {
    it(what, async () => assertRefused(await runSpool(...args), reason))
  }

  it('an unknown topic config, in the words of the broker', async () => {
    const server = await serve(newDirectory())
    const broker = ['-b', server.bootstrap]
    const made = await runSpool('topic', 'create', 't', '-c', 'no.such=1', ...broker)
    assertRefused(made, /no\.such/)
    assert.equal((await runSpool('topic', 'create', 't', ...broker)).code, 0)
    const altered = await runSpool('topic', 'alter', 't', '-c', 'no.such=1', ...broker)
    assertRefused(altered, /no\.such/)
    const bad = await runSpool('topic', 'alter', 't', '-c', 'retention.ms=soon', ...broker)
    assertRefused(bad, /retention\.ms.*soon|soon.*retention\.ms/)
    assertRefused(await runSpool('topic', 'delete', 'none', ...broker), /no topic none/)
    assert.equal(await stop(server), 0)
  })
})
