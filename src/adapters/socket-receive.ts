import net from 'node:net'

/**
 * `own-memory`: the kernel writes straight into memory the session gives. It rests on an
 * undocumented corner of Node: `net.Server` has no `onread`, so a second Socket takes the accepted
 * handle over. `data`: the documented event, which allocates 64 KiB a read and costs one copy.
 */
export type Receive = 'own-memory' | 'data'

export interface ByteSink {
  nextBuffer(): Buffer
  received(byteCount: number): void
}

interface WithHandle {
  _handle: unknown
}

/** Whether this Node still has what `own-memory` needs. */
export function canOwnMemory(): boolean {
  const probe = new net.Socket()
  return '_handle' in probe && typeof net.Socket.prototype.resume === 'function'
}

/** Starts reading `accepted` into `sink`; the socket returned is the one to use from now on. */
export function receiveInto(accepted: net.Socket, receive: Receive, sink: ByteSink): net.Socket {
  const { _handle: handle } = accepted as unknown as WithHandle
  if (receive === 'own-memory' && handle !== null && typeof handle === 'object') {
    return takeOver(accepted, handle, sink)
  }
  accepted.on('data', (chunk: Buffer) => copyInto(chunk, accepted, sink))
  accepted.resume()
  return accepted
}

function takeOver(accepted: net.Socket, handle: object, sink: ByteSink): net.Socket {
  ;(accepted as unknown as WithHandle)._handle = null
  const options = {
    handle,
    onread: {
      buffer: () => sink.nextBuffer(),
      callback: (byteCount: number) => {
        sink.received(byteCount)
        return true
      },
    },
  }
  const socket = new net.Socket(options as unknown as net.SocketConstructorOpts)
  socket.resume()
  socket.read(0)
  return socket
}

/** A session may close its connection in the middle of a chunk: the rest is dropped. */
export function copyInto(chunk: Buffer, socket: net.Socket, sink: ByteSink): void {
  for (let at = 0; at < chunk.byteLength && !socket.destroyed; ) {
    const into = sink.nextBuffer()
    const byteCount = Math.min(into.byteLength, chunk.byteLength - at)
    chunk.copy(into, 0, at, at + byteCount)
    at += byteCount
    sink.received(byteCount)
  }
}
