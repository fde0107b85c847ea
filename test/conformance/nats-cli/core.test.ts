import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { repeatUntil, useNatsCli } from './use-nats-cli.ts'

describe('the nats CLI and core NATS', () => {
  const cli = useNatsCli()

  it('pub reaches sub with its header, wildcards and all', async () => {
    await cli().beside(['sub', 'news.>'], async (sub) => {
      await repeatUntil('sub has its subscription', async () => {
        await cli().run('pub', 'news.first', 'early')
        return sub.hasPrinted(/Received on "news\.first"/)
      })
      const said = await cli().run('pub', 'news.sport.today', 'one nil', '-H', 'Team:blue')
      assert.match(said, /Published 7 bytes to "news\.sport\.today"/)
      await sub.prints(/Received on "news\.sport\.today"\s+Team: blue\s+one nil/)
    })
  })

  it('req is answered by reply, and told at once when nobody is there', async () => {
    assert.match(await cli().run('req', 'svc.none', 'x'), /No responders are available/)
    await cli().beside(['reply', 'svc.echo', 'pong {{.Request}}'], async (reply) => {
      await repeatUntil('reply has its subscription', async () =>
        (await cli().run('req', 'svc.echo', 'early')).includes('pong early'),
      )
      const answer = await cli().run('req', 'svc.echo', 'ping', '-H', 'From:here')
      assert.match(answer, /^pong ping$/m)
      assert.match(answer, /Received with rtt /)
      await reply.prints(/From: here\s+ping/)
    })
  })

  it('rtt, account info and server check connection tell of the connection', async () => {
    assert.match(await cli().run('rtt'), /nats:\/\/127\.0\.0\.1:\d+: [\d.]+[mµ]?s/)
    const account = await cli().run('account', 'info')
    assert.match(account, /Account: \$G/)
    assert.match(account, /Headers Supported: true/)
    assert.match(account, /Maximum Payload: 1\.0 MiB/)
    assert.match(account, /JetStream Account Information:/)
    // Slow machines are no errors here.
    const limits = ['connect', 'rtt', 'req'].flatMap((name) => [
      ...[`--${name}-warn`, '20s'],
      ...[`--${name}-critical`, '30s'],
    ])
    assert.match(await cli().run('server', 'check', 'connection', ...limits), /^OK Connection OK:/)
  })

  it('bench pub and sub count the messages', async () => {
    const counted = ['--msgs', '100', '--no-progress']
    await cli().beside(['bench', 'sub', 'bench.a', ...counted], async (sub) => {
      await repeatUntil('bench sub has its messages', async () => {
        const said = await cli().run('bench', 'pub', 'bench.a', '--size', '16', ...counted)
        assert.match(said, /Core NATS publisher stats: [\d,]+ msgs\/sec/)
        return sub.hasPrinted(/Core NATS subscriber stats: [\d,]+ msgs\/sec/)
      })
    })
  })

  it('bench service request is served by bench service serve', async () => {
    await cli().beside(['bench', 'service', 'serve', 'bench.s', '--no-progress'], () =>
      repeatUntil('the service answers', async () => {
        const counted = ['--msgs', '20', '--no-progress']
        const { code, stdout } = await cli().result(
          ...['bench', 'service', 'request', 'bench.s', ...counted],
        )
        return code === 0 && /service requester stats: [\d,]+ msgs\/sec/.test(stdout)
      }),
    )
  })
})
