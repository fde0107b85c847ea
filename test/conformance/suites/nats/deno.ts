/** Stands in for what the tests of nats.js use of Deno: its tests, and a socket that listens. */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'

interface DenoContext {
  readonly name: string
  step(
    nameOrStep: string | DenoStep,
    body?: (context: DenoContext) => unknown,
  ): Promise<void> | undefined
}

type Body = (context: DenoContext) => unknown

interface DenoStep {
  readonly name: string
  readonly fn: Body
}

interface DenoTest extends DenoStep {
  readonly ignore?: boolean
}

/** A server on another host, which a run of conformance tests must not depend on. */
const FAR_SERVER = 'demo.nats.io'

function contextFor(context: TestContext): DenoContext {
  return {
    name: context.name,
    step: (nameOrStep, body) => {
      const { name, fn } =
        typeof nameOrStep === 'string' ? { name: nameOrStep, fn: body } : nameOrStep
      return context.test(name, async (inner) => {
        await fn?.(contextFor(inner))
      })
    },
  }
}

function register({ name, fn, ignore = false }: DenoTest): void {
  const isFar = String(fn).includes(FAR_SERVER)
  const skip = isFar ? `needs ${FAR_SERVER}` : ignore
  test(name, { skip }, async (context) => {
    await fn(contextFor(context))
  }).catch(() => {
    // The runner reports it.
  })
}

/** Deno takes a test whole, or its name apart, or its name and its options apart. */
function denoTest(first: string | DenoTest, second?: Body | Partial<DenoTest>, third?: Body): void {
  const options = typeof second === 'function' ? { fn: second } : second
  const fn = third ?? options?.fn
  if (typeof first !== 'string') register(first)
  else if (fn !== undefined) register({ ...options, name: first, fn })
}

/** Deno has a class for this; Node's errors have a code. */
class ConnectionReset extends Error {
  static override [Symbol.hasInstance](error: unknown): boolean {
    return error instanceof Error && 'code' in error && error.code === 'ECONNRESET'
  }
}

class Connection {
  readonly #socket: Socket
  readonly #chunks: AsyncIterator<Buffer>

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('error', () => {
      // Told to who reads or writes.
    })
    this.#chunks = socket[Symbol.asyncIterator]()
  }

  async read(target: Uint8Array): Promise<number | null> {
    const { value, done = false } = await this.#chunks.next()
    if (done) return null
    const bytes = value.subarray(0, target.length)
    target.set(bytes)
    if (bytes.length < value.length) this.#socket.unshift(value.subarray(bytes.length))
    return bytes.length
  }

  async write(bytes: Uint8Array): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#socket.write(bytes, (error) => {
        if (error === null || error === undefined) resolve()
        else reject(error)
      })
    })
    return bytes.length
  }

  close(): void {
    this.#socket.destroy()
  }
}

function listen({ port }: { readonly port: number }) {
  const server = createServer().listen(port)
  const closed = new AbortController()
  return {
    addr: server.address() as AddressInfo,
    close(): void {
      closed.abort()
      server.close()
    },
    async *[Symbol.asyncIterator]() {
      while (!closed.signal.aborted) {
        try {
          const [socket] = await once(server, 'connection', { signal: closed.signal })
          yield new Connection(socket as Socket)
        } catch (error) {
          if (!closed.signal.aborted) throw error
        }
      }
    },
  }
}

const ignore = (name: string): void => {
  test(name, { skip: true }).catch(() => {
    // The runner reports it.
  })
}

Object.assign(globalThis, {
  Deno: {
    args: [],
    errors: { ConnectionReset },
    listen,
    test: Object.assign(denoTest, { ignore }),
  },
})
