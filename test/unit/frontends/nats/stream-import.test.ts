import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  type ImportSettings,
  OPEN,
  type SecuritySettings,
} from '../../../../src/frontends/nats/auth/security-settings.ts'
import { MODERN, TestServer } from './nats-clients.ts'

const stream = (account: string, subject: string, localSubject: string): ImportSettings => ({
  kind: 'stream',
  account,
  subject,
  localSubject,
})

function security(importsOfA: ImportSettings[], importsOfB: ImportSettings[]): SecuritySettings {
  const none = { exports: [], maxConnections: -1, maxSubscriptions: -1, jetStream: null }
  const user = { user: 'b', password: 'b', account: 'B', permissions: null, kinds: null }
  const accounts = [
    { name: 'A', ...none, imports: importsOfA },
    { name: 'B', ...none, imports: importsOfB },
  ]
  return { ...OPEN, users: [user], accounts }
}

describe('an import of a stream', () => {
  it('is interest of the exporting account only while somebody listens behind it', async () => {
    // Each imports from the other, so a question may come back to who asked it.
    const settings = security([stream('B', 'a.*', 'x.*')], [stream('A', 'x.*', 'a.*')])
    const server = await TestServer.start({ maxSubscriptions: 100 }, 100, settings)
    const b = server.connect({ ...MODERN, user: 'b', pass: 'b' })
    const { publisher } = server.frontend.accounts.get('A')
    assert.equal(publisher.hasInterest('x.y'), false)
    let changes = 0
    publisher.watchInterest('x.y', () => changes++)
    const changesAfter = (commands: string): number => {
      changes = 0
      b.send(commands)
      server.scheduler.finishTurn()
      return changes
    }
    assert.equal(changesAfter('SUB other 1\r\n'), 0)
    assert.equal(changesAfter('SUB a.y 2\r\n'), 1)
    assert.equal(publisher.hasInterest('x.y'), true)
    assert.equal(changesAfter('UNSUB 2\r\n'), 1)
    assert.equal(publisher.hasInterest('x.y'), false)
    server.frontend.reload(security([], []), {})
    server.scheduler.finishTurn()
    assert.equal(changesAfter('SUB a.y 3\r\n'), 0)
    assert.equal(publisher.hasInterest('x.y'), false)
  })
})
