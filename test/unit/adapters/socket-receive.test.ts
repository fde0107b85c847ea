import assert from 'node:assert/strict'
import net from 'node:net'
import { describe, it } from 'node:test'
import { canOwnMemory, receiveInto } from '../../../src/adapters/socket-receive.ts'

/** A socket whose handle is elsewhere: there is nothing to take over. */
function withoutHandle(): net.Socket {
  return new net.Socket()
}

describe('receiving into memory of the session', () => {
  it('is possible with the Node that runs these tests', () => {
    assert.equal(canOwnMemory(), true)
  })

  it('falls back to chunks when a socket has no handle to take over', () => {
    const socket = withoutHandle()
    const room = Buffer.alloc(4)
    let text = ''
    const sink = {
      nextBuffer: () => room,
      received: (byteCount: number) => {
        text += room.toString('utf8', 0, byteCount)
      },
    }
    assert.equal(receiveInto(socket, 'own-memory', sink), socket)
    socket.emit('data', Buffer.from('a chunk of bytes'))
    assert.equal(text, 'a chunk of bytes')
    socket.destroy()
  })

  it('drops the rest of a chunk when the session closes the connection in its middle', () => {
    const socket = withoutHandle()
    const room = Buffer.alloc(4)
    let count = 0
    const sink = {
      nextBuffer: () => room,
      received: () => {
        count++
        socket.destroy()
      },
    }
    receiveInto(socket, 'data', sink)
    socket.emit('data', Buffer.alloc(100))
    assert.equal(count, 1)
  })
})
