import { strict as assert } from 'node:assert'
import { connect } from 'node:net'
import { describe, it } from 'node:test'
import { silentLogger } from '../../../../src/adapters/silent-logger.ts'
import { HttpFrontend } from '../../../../src/frontends/http/http-frontend.ts'

interface World {
  notReady: string | null
  metrics: () => Promise<{ contentType: string; text: string }>
}

async function withFrontend(
  use: (url: string, world: World, port: number) => Promise<void>,
): Promise<void> {
  const world: World = {
    notReady: null,
    metrics: async () => ({ contentType: 'text/plain; version=0.0.4', text: 'a_total 1\n' }),
  }
  const frontend = new HttpFrontend({
    logger: silentLogger,
    metrics: () => world.metrics(),
    notReadyReason: () => world.notReady,
    maxUpgraded: 0,
  })
  const { host, port } = await frontend.listen({ host: '127.0.0.1', port: 0 })
  try {
    await use(`http://${host}:${port}`, world, port)
  } finally {
    await frontend.stop()
  }
}

describe('the HTTP port', () => {
  it('serves metrics with their type', async () => {
    await withFrontend(async (url) => {
      const response = await fetch(`${url}/metrics`)
      assert.equal(response.status, 200)
      assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
      assert.equal(await response.text(), 'a_total 1\n')
    })
  })

  it('says live always, and ready only when it is', async () => {
    await withFrontend(async (url, world) => {
      assert.equal((await fetch(`${url}/readyz`)).status, 200)
      world.notReady = 'loading'
      assert.equal((await fetch(`${url}/livez`)).status, 200)
      const response = await fetch(`${url}/readyz`)
      assert.equal(response.status, 503)
      assert.deepEqual(await response.json(), { status: 'not ready', reason: 'loading' })
    })
  })

  it('answers everything else with an error in JSON', async () => {
    await withFrontend(async (url) => {
      for (const request of [fetch(`${url}/x?y`), fetch(`${url}/metrics`, { method: 'POST' })]) {
        const response = await request
        assert.equal(response.status, 404)
        assert.match(((await response.json()) as { error: string }).error, /is not served$/)
      }
    })
  })

  it('keeps what went wrong inside for the log', async () => {
    await withFrontend(async (url, world) => {
      world.metrics = async () => {
        throw new Error('secret path')
      }
      const response = await fetch(`${url}/metrics`)
      assert.equal(response.status, 500)
      assert.deepEqual(await response.json(), { error: 'internal error' })
    })
  })

  it('closes a connection that is not HTTP, and serves the next', async () => {
    await withFrontend(async (url, _world, port) => {
      const answer = await new Promise<string>((resolve) => {
        let text = ''
        const socket = connect(port, '127.0.0.1', () => socket.write('\0\0\0\x08nonsense\r\n\r\n'))
        socket.on('data', (chunk) => {
          text += chunk.toString()
        })
        socket.on('close', () => resolve(text))
      })
      assert.match(answer, /^HTTP\/1\.1 400 /)
      assert.equal((await fetch(`${url}/livez`)).status, 200)
    })
  })

  it('says which address is in use', async () => {
    await withFrontend(async (_url, _world, port) => {
      const second = new HttpFrontend({
        logger: silentLogger,
        metrics: async () => ({ contentType: '', text: '' }),
        notReadyReason: () => null,
        maxUpgraded: 0,
      })
      await assert.rejects(second.listen({ host: '127.0.0.1', port }), {
        name: 'ConfigError',
        message: `127.0.0.1:${port} is in use: choose another with --http, or --no-http`,
      })
    })
  })
})
