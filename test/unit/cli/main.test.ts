import { strict as assert } from 'node:assert'
import { describe, it } from 'node:test'
import { runNode } from '../scripts/temporary-tree.ts'

const spool = (...args: string[]) => runNode(['bin/spool.mjs', ...args])

describe('the command line', () => {
  it('prints help and exits 0', async () => {
    const { exitCode, stdout } = await spool('--help')
    assert.equal(exitCode, 0)
    for (const command of ['serve', 'topic', 'produce', 'consume', 'group', 'log', 'doctor']) {
      assert.match(stdout, new RegExp(`^ {2}${command}\\b`, 'm'))
    }
  })

  it('exits 2 for wrong usage and says what is wrong', async () => {
    const cases: [string[], RegExp][] = [
      [['nonsense'], /unknown command 'nonsense'/],
      [['serve', '--nonsense'], /unknown option '--nonsense'/],
      [['serve', '--kafka', '9092'], /^spool: --kafka "9092" is not HOST:PORT/],
      [['serve', '--set', 'num.partition=1'], /did you mean num\.partitions\?/],
      [['serve', '--kafka', '0.0.0.0:0'], /--allow-anonymous/],
      [['serve', '--nats', '4222'], /^spool: --nats "4222" is not HOST:PORT/],
      [['serve', '--config', '/none'], /the config file \/none is not there/],
      [['topic', 'list', '-o', 'xml'], /-o "xml" is not json or table/],
      [['topic', 'alter', 't'], /nothing to change/],
      [['consume', 't', '--offset', '1', '--from-beginning'], /exclude each other/],
    ]
    await Promise.all(
      cases.map(async ([args, message]) => {
        const { exitCode, stderr, stdout } = await spool(...args)
        assert.match(stderr, message)
        assert.equal(exitCode, 2, args.join(' '))
        assert.equal(stdout, '')
      }),
    )
  })

  it('exits 1 with one sentence when no broker answers', async () => {
    // Nobody listens on port 1 of the loopback address.
    const { exitCode, stderr } = await spool('topic', 'list', '-b', '127.0.0.1:1')
    assert.equal(exitCode, 1)
    assert.equal(
      stderr,
      'spool: no broker answers at 127.0.0.1:1: start one with "spool serve", or name another with -b\n',
    )
  })
})
