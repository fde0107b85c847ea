import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { useNatsCli } from './use-nats-cli.ts'

const cli = useNatsCli()

const MESSAGES = ['--msgs', '2000', '--size', '64', '--no-progress']

async function messageCount(stream: string): Promise<number> {
  const info = JSON.parse(await cli().run('stream', 'info', stream, '--json')) as {
    state: { messages: number }
  }
  return info.state.messages
}

describe('the nats CLI and batches', () => {
  it('the bench makes a stream, and publishes to it in atomic and in fast batches', async () => {
    const atomic = ['atomic', 'test.a', '--create', '--batch', '100']
    assert.match(await cli().run('bench', 'js', 'pub', ...atomic, ...MESSAGES), /msgs\/sec/)
    assert.equal(await messageCount('benchstream'), 2000)
    const fast = ['fast', 'test.a', '--batch', '100', '--clients', '4']
    assert.match(await cli().run('bench', 'js', 'pub', ...fast, ...MESSAGES), /msgs\/sec/)
    assert.equal(await messageCount('benchstream'), 4000)
    const info = await cli().run('stream', 'info', 'benchstream')
    assert.match(info, /Allows Atomic Batch Publish: true/)
    assert.match(info, /Allows Fast Batch Publish: true/)
  })

  it('messages are published together, or none of them', async () => {
    const lines = Array.from({ length: 10 }, (_, i) => `message ${i + 1}\n`).join('')
    const batch = ['pub', 'whole.a', '--atomic', '--jetstream', '--force-stdin']
    const publish = () => cli().resultWith(lines, ...batch, '--send-on', 'newline')
    await cli().run('stream', 'add', 'WHOLE', '--subjects', 'whole.>', '--defaults')
    assert.notEqual((await publish()).code, 0)
    assert.equal(await messageCount('WHOLE'), 0)
    await cli().run('stream', 'edit', 'WHOLE', '--allow-batch', '--force')
    const { code, stderr } = await publish()
    assert.equal(code, 0, stderr)
    assert.equal(await messageCount('WHOLE'), 10)
    const last = await cli().run('stream', 'get', 'WHOLE', '10')
    assert.match(last, /Nats-Batch-Commit: 1[\s\S]*message 10/)
  })
})
