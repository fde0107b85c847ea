import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { WebSocket } from 'ws'
import {
  HttpUpgradeTransport,
  type UpgradablePort,
} from '../../../src/adapters/http-upgrade-transport.ts'
import { silentLogger } from '../../../src/adapters/silent-logger.ts'
import type { Listener, StreamSession } from '../../../src/ports/transport.ts'

/** Takes what comes, and says nothing. */
class Silent implements StreamSession {
  readonly #room = Buffer.alloc(1024)
  nextBuffer(): Buffer {
    return this.#room
  }
  received(): void {}
  closed(): void {}
}

describe('WebSocket on an HTTP port', () => {
  let server: Server
  let listener: Listener
  let url: string

  beforeEach(async () => {
    server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    url = `ws://127.0.0.1:${port}`
    const upgradable: UpgradablePort = {
      address: { host: '127.0.0.1', port },
      upgradeHandler: null,
    }
    server.on('upgrade', (request, socket, head) =>
      upgradable.upgradeHandler?.(request, socket, head),
    )
    const transport = new HttpUpgradeTransport({ logger: silentLogger, port: upgradable })
    const limits = {
      ...{ maxConnections: 10, maxConnectionsPerIp: 1, idleTimeoutMs: -1 },
      maxConnectionsPerIpOverrides: new Map(),
    }
    listener = await transport.listen({ ...limits, ...upgradable.address }, () => new Silent())
  })

  afterEach(async () => {
    await listener.close()
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  })

  async function statusOf(): Promise<number> {
    const socket = new WebSocket(url)
    socket.on('error', () => undefined)
    return await new Promise((resolve) => {
      socket.once('open', () => resolve(101))
      socket.once('unexpected-response', (_request, { statusCode }) => {
        socket.terminate()
        resolve(statusCode ?? 0)
      })
    })
  }

  it('refuses one too many of an address, until one is gone', async () => {
    const first = new WebSocket(url)
    await once(first, 'open')
    assert.equal(listener.connectionCount, 1)
    assert.equal(await statusOf(), 503)
    first.close()
    while (listener.connectionCount > 0) await new Promise(setImmediate)
    assert.equal(await statusOf(), 101)
  })

  it('survives a client that goes away while it is refused', async () => {
    await listener.stopAccepting()
    const key = 'sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\nsec-websocket-version: 13'
    for (let i = 0; i < 20; i++) {
      const socket = connect(Number(new URL(url).port), '127.0.0.1')
      socket.on('error', () => undefined)
      await once(socket, 'connect')
      socket.write(
        `GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n${key}\r\n\r\n`,
      )
      socket.resetAndDestroy()
      await once(socket, 'close')
    }
    assert.equal(await statusOf(), 503)
    assert.equal(listener.connectionCount, 0)
  })
})
