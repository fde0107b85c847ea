import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { MODERN, TestServer } from './nats-clients.ts'

describe('NATS handshake', () => {
  it('says INFO at once, without JetStream', async () => {
    const server = await TestServer.start()
    const client = server.connect(null)
    const line = client.readRaw()
    assert.match(line, /^INFO \{.*\}\r\n$/)
    const info = JSON.parse(line.slice('INFO '.length)) as Record<string, unknown>
    assert.match(String(info['server_id']), /^N[A-Z2-7]{55}$/)
    assert.equal(info['proto'], 1)
    assert.equal(info['headers'], true)
    assert.equal(info['max_payload'], 1024 * 1024)
    assert.equal(info['client_id'], 1)
    assert.equal(info['client_ip'], '127.0.0.1')
    assert.equal(info['port'], 4222)
    assert.equal('jetstream' in info, false)
  })

  it('answers the first PING of a client that reads INFO with PONG and its account', async () => {
    const server = await TestServer.start()
    const client = server.connect(MODERN)
    client.send('PING\r\n')
    assert.match(
      client.readRaw(),
      /^PONG\r\nINFO .*"connect_info":true,"remote_account":"\$G"\}\r\n$/,
    )
    client.send('PING\r\n')
    assert.equal(client.read(), 'PONG\r\n')
  })

  it('is verbose and pedantic before CONNECT', async () => {
    const server = await TestServer.start()
    const client = server.connect(null)
    client.read()
    client.send('SUB a 1\r\nPUB a 2\r\nhi\r\nPUB b.* 0\r\n\r\nUNSUB 7\r\n')
    assert.equal(
      client.read(),
      "+OK\r\n+OK\r\nMSG a 1 2\r\nhi\r\n-ERR 'Invalid Publish Subject'\r\n+OK\r\n+OK\r\n",
    )
  })

  const refused: readonly (readonly [connect: string, answer: string])[] = [
    ['{"protocol":2}', "-ERR 'invalid client protocol'\r\n"],
    ['{"no_responders":true}', "-ERR 'no responders requires headers support'\r\n"],
    ['{"account":"A"}', "-ERR 'Authorization Violation'\r\n"],
    ['{"verbose":"yes"}', ''],
    ['[]', ''],
    ['{', ''],
  ]
  for (const [connect, answer] of refused) {
    it(`refuses CONNECT ${connect}`, async () => {
      const server = await TestServer.start()
      const client = server.connect(null)
      client.read()
      client.send(`CONNECT ${connect}\r\nPING\r\n`)
      assert.equal(client.read(), answer)
      assert.equal(client.isClosed, true)
    })
  }

  it('drops subscriptions when CONNECT comes again', async () => {
    const server = await TestServer.start()
    const client = server.connect(MODERN)
    client.send(`SUB a 1\r\nCONNECT ${JSON.stringify(MODERN)}\r\nPUB a 0\r\n\r\n`)
    assert.equal(client.read(), '')
  })
})

describe('NATS messages', () => {
  it('go to all who listen, in order, with subject, sid and reply', async () => {
    const server = await TestServer.start()
    const [one, two, publisher] = [server.connect(), server.connect(), server.connect()]
    one.send('SUB a.* 1\r\nSUB a.b x\r\n')
    two.send('SUB > 9\r\n')
    publisher.send('PUB a.b r 2\r\nhi\r\nPUB a.c 2\r\nho\r\n')
    assert.equal(
      one.read().split('MSG').slice(1).sort().join('MSG'),
      [' a.b 1 r 2\r\nhi\r\n', ' a.b x r 2\r\nhi\r\n', ' a.c 1 2\r\nho\r\n'].join('MSG'),
    )
    assert.equal(two.read(), 'MSG a.b 9 r 2\r\nhi\r\nMSG a.c 9 2\r\nho\r\n')
    assert.equal(publisher.read(), '')
  })

  it('of one read leave in one write for each subscriber', async () => {
    const server = await TestServer.start()
    const subscriber = server.connect()
    const publisher = server.connect()
    subscriber.send('SUB a 1\r\n')
    subscriber.isSlow = true
    publisher.send('PUB a 1\r\nx\r\n'.repeat(500))
    assert.equal(subscriber.waitingCount, 1)
    assert.equal(subscriber.read(), 'MSG a 1 1\r\nx\r\n'.repeat(500))
  })
})

describe('NATS subscriptions', () => {
  it('of a queue group: one of them gets a message, fairly chosen', async () => {
    const server = await TestServer.start()
    const members = [server.connect(), server.connect()]
    for (const member of members) member.send('SUB a q 1\r\n')
    members[0]?.send('SUB * r 2\r\n')
    server.connect().send('PUB a 0\r\n\r\n'.repeat(200))
    const texts = members.map((member) => member.read())
    const counts = texts.map((text) => text.split('MSG a 1 ').length - 1)
    assert.equal((counts[0] ?? 0) + (counts[1] ?? 0), 200)
    for (const count of counts) assert.ok(count > 60, `${counts} is not fair`)
    assert.equal((texts[0] ?? '').split('MSG a 2 ').length - 1, 200)
  })

  it('of the publisher itself get it unless it said echo:false, in a queue group too', async () => {
    const server = await TestServer.start()
    const echo = server.connect()
    echo.send('SUB a 1\r\nPUB a 0\r\n\r\nPING\r\n')
    assert.equal(echo.read(), 'MSG a 1 0\r\n\r\nPONG\r\n')
    const quiet = server.connect({ verbose: false, pedantic: false, echo: false })
    quiet.send('SUB b 1\r\nSUB b q 2\r\nPUB b 0\r\n\r\nPING\r\n')
    assert.equal(quiet.read(), 'PONG\r\n')
  })

  it('get messages without their headers if the client can not read them', async () => {
    const server = await TestServer.start()
    const old = server.connect()
    const modern = server.connect(MODERN)
    old.send('SUB a 1\r\n')
    modern.send('SUB a 2\r\nHPUB a r 12 14\r\nNATS/1.0\r\n\r\nhi\r\n')
    assert.equal(old.read(), 'MSG a 1 r 2\r\nhi\r\n')
    assert.equal(modern.read(), 'HMSG a 2 r 12 14\r\nNATS/1.0\r\n\r\nhi\r\n')
  })

  it('get messages with single blanks whatever the publisher wrote', async () => {
    const server = await TestServer.start()
    const client = server.connect(MODERN)
    client.send('SUB a 1\r\nPUB\ta  r\t 2 \nhi\r\nHPUB a  12\t12\nNATS/1.0\r\n\r\n\r\n')
    assert.equal(client.read(), 'MSG a 1 r 2\r\nhi\r\nHMSG a 1 12 12\r\nNATS/1.0\r\n\r\n\r\n')
  })

  it('get messages of any size whole', async () => {
    const server = await TestServer.start({ maxPendingBytes: 64 * 1024 * 1024 })
    const subscribers = [server.connect(), server.connect()]
    for (const subscriber of subscribers) subscriber.send('SUB a 1\r\n')
    const publisher = server.connect()
    for (const byteCount of [0, 31, 32, 33, 2040, 32_768, 65_530, 65_536, 200_000, 1_048_576]) {
      const payload = String.fromCharCode(...Buffer.alloc(byteCount % 97)).padEnd(byteCount, 'z')
      publisher.send(`PUB a 1\r\n!\r\nPUB a ${byteCount}\r\n${payload}\r\nPUB a 1\r\n?\r\n`)
      for (const subscriber of subscribers) {
        const text = subscriber.read()
        const expected = `MSG a 1 1\r\n!\r\nMSG a 1 ${byteCount}\r\n${payload}\r\nMSG a 1 1\r\n?\r\n`
        assert.ok(text === expected, `${byteCount} bytes`)
      }
    }
  })

  it('end with the number given to UNSUB, counted since SUB', async () => {
    const server = await TestServer.start()
    const client = server.connect()
    client.send('SUB a 1\r\nPUB a 0\r\n\r\nUNSUB 1 2\r\nPUB a 0\r\n\r\nPUB a 0\r\n\r\n')
    assert.equal(client.read(), 'MSG a 1 0\r\n\r\n'.repeat(2))
    client.send('SUB b 2\r\nPUB b 0\r\n\r\nUNSUB 2 1\r\nPUB b 0\r\n\r\n')
    assert.equal(client.read(), 'MSG b 2 0\r\n\r\n')
    assert.equal(server.meter.read('nats_subscriptions'), 0)
  })
})

describe('NATS requests', () => {
  it('without anybody who listens are answered with 503, also those to JetStream', async () => {
    const server = await TestServer.start()
    const client = server.connect(MODERN)
    client.send('SUB in.* 4\r\nPUB foo in.1 2\r\nhi\r\nPUB $JS.API.INFO in.2 0\r\n\r\n')
    assert.equal(
      client.read(),
      'HMSG in.1 4 35 35\r\nNATS/1.0 503\r\nNats-Subject: foo\r\n\r\n\r\n' +
        'HMSG in.2 4 44 44\r\nNATS/1.0 503\r\nNats-Subject: $JS.API.INFO\r\n\r\n\r\n',
    )
  })

  it('may not be published where only servers may', async () => {
    const server = await TestServer.start()
    const client = server.connect()
    client.send(
      'SUB > 1\r\nPUB a $JS.ACK.x 0\r\n\r\nPUB _GR_.x 0\r\n\r\nPUB _Ra _INBOX.1 0\r\n\r\n',
    )
    assert.equal(
      client.read(),
      '-ERR \'Permissions Violation for Publish with Reply of "$JS.ACK.x"\'\r\n' +
        '-ERR \'Permissions Violation for Publish to "_GR_.x"\'\r\n' +
        'MSG _Ra 1 _INBOX.1 0\r\n\r\n',
    )
  })

  it('that are refused do not lead those behind them to other subjects', async () => {
    const server = await TestServer.start()
    const client = server.connect()
    // A route that is used again and again is kept.
    client.send(`SUB a 1\r\nSUB b 2\r\n${'PUB a 0\r\n\r\n'.repeat(3)}`)
    assert.equal(client.read(), 'MSG a 1 0\r\n\r\n'.repeat(3))
    client.send('PUB b $JS.ACK.x 0\r\n\r\nPUB b 0\r\n\r\n')
    assert.match(client.read(), /^-ERR '.*'\r\nMSG b 2 0\r\n\r\n$/)
  })
})

describe('NATS limits', () => {
  it('refuses subjects and subscriptions beyond the limit, and stays connected', async () => {
    const server = await TestServer.start()
    const client = server.connect()
    client.send(
      'SUB a..b 1\r\nSUB a.>.b 1\r\nSUB a 1\r\nSUB b 1\r\nSUB c 2\r\nSUB d 3\r\nSUB e 4\r\n',
    )
    const invalid = "-ERR 'Invalid Subject'\r\n"
    assert.equal(client.read(), `${invalid}${invalid}-ERR 'maximum subscriptions exceeded'\r\n`)
    client.send('PUB b 0\r\n\r\nPUB d 0\r\n\r\n')
    // The sid 1 was in use: it listens to what it did before.
    assert.equal(client.read(), 'MSG d 3 0\r\n\r\n')
  })

  it('tells a client that is one too many', async () => {
    const server = await TestServer.start({}, 1)
    server.connect()
    const second = server.connect(null)
    assert.equal(second.read(), "-ERR 'maximum connections exceeded'\r\n")
    assert.equal(second.isClosed, true)
  })

  it('closes who sends what is not the protocol, after serving what came before', async () => {
    const server = await TestServer.start()
    const client = server.connect()
    client.send('SUB a 1\r\nPUB a 0\r\n\r\nNONSENSE\r\nPUB a 0\r\n\r\n')
    assert.equal(client.read(), "MSG a 1 0\r\n\r\n-ERR 'Unknown Protocol Operation'\r\n")
    assert.equal(client.isClosed, true)
    assert.equal(server.meter.read('nats_subscriptions'), 0)
  })
})

describe('NATS clients that are silent or slow', () => {
  it('pings a silent client and closes one that does not answer', async () => {
    const server = await TestServer.start()
    const [silent, alive] = [server.connect(), server.connect()]
    server.scheduler.advance(10_000)
    assert.equal(silent.read(), 'PING\r\n')
    assert.equal(alive.read(), 'PING\r\n')
    alive.send('PONG\r\n')
    server.scheduler.advance(10_000)
    assert.equal(silent.read(), 'PING\r\n')
    alive.send('PONG\r\n')
    server.scheduler.advance(10_000)
    assert.equal(silent.read(), "-ERR 'Stale Connection'\r\n")
    assert.equal(silent.isClosed, true)
    assert.equal(alive.isClosed, false)
  })

  it('lets a publisher wait for a subscriber that is behind, but not for long', async () => {
    const server = await TestServer.start()
    const [slow, publisher] = [server.connect(), server.connect()]
    slow.send('SUB a 1\r\n')
    slow.isSlow = true
    const message = `PUB a 600000\r\n${'x'.repeat(600_000)}\r\n`
    publisher.send(message)
    assert.equal(publisher.isPaused, false)
    publisher.send(message)
    assert.equal(publisher.isPaused, true)
    server.scheduler.advance(10)
    assert.equal(publisher.isPaused, false)
    publisher.send(message)
    assert.equal(publisher.isPaused, true)
    while (slow.waitingCount > 0) slow.take()
    assert.equal(publisher.isPaused, false)
  })

  it('lets a client wait that gets its own messages and is behind with them', async () => {
    const server = await TestServer.start()
    const client = server.connect()
    client.send('SUB a 1\r\n')
    client.isSlow = true
    client.send(`PUB a 600000\r\n${'x'.repeat(600_000)}\r\n`.repeat(2))
    assert.equal(client.isPaused, true)
    while (client.waitingCount > 0) client.take()
    assert.equal(client.isPaused, false)
  })

  it('closes a subscriber with too much pending, and one that takes nothing', async () => {
    const server = await TestServer.start()
    const [slow, idle, publisher] = [server.connect(), server.connect(), server.connect()]
    slow.send('SUB a 1\r\n')
    idle.send('SUB b 1\r\n')
    slow.isSlow = true
    idle.isSlow = true
    publisher.send('PUB b 1\r\nx\r\n')
    publisher.send(`PUB a 1000000\r\n${'x'.repeat(1_000_000)}\r\n`.repeat(4))
    assert.equal(slow.isClosed, true)
    assert.equal(publisher.isClosed, false)
    assert.equal(idle.isClosed, false)
    server.scheduler.advance(7_000)
    assert.equal(idle.isClosed, true)
    publisher.send('PING\r\n')
    assert.equal(publisher.read(), 'PONG\r\n')
  })
})

describe('NATS stop', () => {
  it('tells clients that read INFO, sends what there is, and closes', async () => {
    const server = await TestServer.start()
    const [modern, old] = [server.connect(MODERN), server.connect()]
    await server.frontend.stop(1000)
    assert.match(modern.readRaw(), /^INFO .*"ldm":true\}\r\n$/)
    assert.equal(old.read(), '')
    assert.equal(modern.isClosed, true)
    assert.equal(old.isClosed, true)
  })
})
