import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectSocket } from 'node:net'
import { after, before, describe, it } from 'node:test'
import {
  connect,
  headers,
  type Msg,
  type NatsConnection,
  NoRespondersError,
  RequestError,
} from '@nats-io/transport-node'
import { cleanUp, endOf, newDirectory, spawnSpool } from './spool-process.ts'

let servers = ''
let child: ReturnType<typeof spawnSpool>

before(async () => {
  const addresses = ['--kafka', '127.0.0.1:0', '--nats', '127.0.0.1:0', '--no-http']
  child = spawnSpool(['serve', '--data-dir', newDirectory(), ...addresses])
  let output = ''
  for await (const chunk of child.stdout ?? []) {
    output += String(chunk)
    if (/^ready/m.test(output)) break
  }
  servers = /^nats (\S+)$/m.exec(output)?.[1] ?? ''
})

after(cleanUp)

/** Runs `test` with clients that are closed in the end. */
async function withClients(
  count: number,
  test: (...clients: NatsConnection[]) => Promise<void>,
): Promise<void> {
  const clients: NatsConnection[] = []
  try {
    for (let i = 0; i < count; i++) clients.push(await connect({ servers, reconnect: false }))
    await test(...clients)
  } finally {
    await Promise.all(clients.map((client) => client.close()))
  }
}

/** What a subscription gets until `count` messages came. */
async function take(messages: AsyncIterable<Msg>, count: number): Promise<Msg[]> {
  const taken: Msg[] = []
  for await (const message of messages) if (taken.push(message) === count) break
  return taken
}

describe('nats.js', () => {
  it('publishes and subscribes with wildcards and headers, in order', () =>
    withClients(2, async (one, two) => {
      const subscription = one.subscribe('orders.*.>')
      await one.flush()
      const values = headers()
      values.append('kind', 'a')
      values.append('kind', 'b')
      two.publish('orders.eu.1', 'first', { headers: values })
      for (let i = 0; i < 10_000; i++) two.publish('orders.eu.2', String(i))
      two.publish('orders.eu', 'nobody')
      const [first, ...rest] = await take(subscription, 10_001)
      assert.equal(first?.string(), 'first')
      assert.deepEqual(first?.headers?.values('kind'), ['a', 'b'])
      assert.deepEqual(
        rest.map((message) => Number(message.string())),
        rest.map((_, i) => i),
      )
    }))

  it('sends the largest payload whole, and is told about one that is larger', () =>
    withClients(1, async (client) => {
      const subscription = client.subscribe('large')
      const payload = Buffer.alloc(client.info?.max_payload ?? 0, 'x')
      client.publish('large', payload)
      const [message] = await take(subscription, 1)
      assert.ok(Buffer.from(message?.data ?? []).equals(payload))
      assert.throws(() => client.publish('large', Buffer.alloc(payload.byteLength + 1)), /payload/)
    }))

  it('requests and replies, and hears at once that nobody listens', () =>
    withClients(2, async (client, service) => {
      service.subscribe('double', {
        callback: (_error, message) => {
          message.respond(String(Number(message.string()) * 2))
        },
      })
      await service.flush()
      assert.equal((await client.request('double', '21')).string(), '42')
      await assert.rejects(client.request('nobody'), (error: Error) => {
        assert.ok(error instanceof RequestError && error.cause instanceof NoRespondersError)
        return true
      })
    }))

  it('shares a queue group, and ends a subscription after its maximum', () =>
    withClients(3, async (one, two, publisher) => {
      const counts = [0, 0]
      for (const [i, client] of [one, two].entries()) {
        const callback = (): void => {
          counts[i] = (counts[i] ?? 0) + 1
        }
        client.subscribe('work', { queue: 'workers', callback })
        await client.flush()
      }
      const limited = one.subscribe('work', { max: 3 })
      await one.flush()
      for (let i = 0; i < 400; i++) publisher.publish('work')
      await publisher.flush()
      await Promise.all([one.flush(), two.flush()])
      assert.equal((counts[0] as number) + (counts[1] as number), 400)
      for (const count of counts) assert.ok(count > 120, `${counts} is not fair`)
      assert.equal((await take(limited, 4)).length, 3)
    }))

  it('does not get its own messages with noEcho', async () => {
    const client = await connect({ servers, noEcho: true, reconnect: false })
    let count = 0
    client.subscribe('own', {
      callback: () => {
        count++
      },
    })
    client.publish('own')
    await client.flush()
    await client.close()
    assert.equal(count, 0)
  })
})

describe('spool serve --nats', () => {
  it('answers what is no NATS with an error and closes', async () => {
    const [host, port] = servers.split(':')
    const socket = connectSocket(Number(port), host)
    let text = ''
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString()
    })
    socket.write('GET / HTTP/1.1\r\n\r\n')
    await once(socket, 'close')
    assert.match(text, /^INFO \{.*\} ?\r\n-ERR 'Unknown Protocol Operation'\r\n$/)
  })

  it('tells clients that it stops, and exits with 0', async () => {
    const client = await connect({ servers, reconnect: false })
    const seen: string[] = []
    const watching = (async () => {
      for await (const status of client.status()) seen.push(status.type)
    })()
    const code = endOf(child)
    child.kill('SIGTERM')
    assert.equal(await code, 0)
    await client.closed()
    await watching
    assert.ok(seen.includes('ldm'), String(seen))
  })
})
