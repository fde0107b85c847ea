import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { repeatUntil, useNatsCli } from './use-nats-cli.ts'

const cli = useNatsCli()

async function addStream(name: string, subject: string, flag: string): Promise<string> {
  return await cli().run('stream', 'add', name, '--subjects', subject, flag, '--defaults')
}

describe('the nats CLI and counters', () => {
  it('a counter is incremented, decremented, read and listed', async () => {
    await addStream('COUNTS', 'count.>', '--allow-counter')
    assert.match(await cli().run('counter', 'increment', 'count.a', '5'), /\b5\b/)
    assert.match(await cli().run('counter', 'decrement', 'count.a', '7'), /-2\b/)
    await cli().run('counter', 'increment', 'count.b', '9007199254740993')
    assert.match(await cli().run('counter', 'get', 'count.a'), /-2\b/)
    assert.match(
      await cli().run('counter', 'view', 'count.b'),
      /9007199254740993|9,007,199,254,740,993/,
    )
    // The command shows them in the order of a map of Go, which is another each time.
    const list = await cli().run('counter', 'list', 'count.>')
    assert.deepEqual(list.match(/count\.\w+/g)?.sort(), ['count.a', 'count.b'])
  })
})

describe('the nats CLI and message schedules', () => {
  it('a message comes after a while, another one again and again', async () => {
    await addStream('PLANS', 'plan.>', '--allow-schedules')
    const after = ['--schedule-after', '1s', '--schedule-dest', 'plan.once']
    await cli().run('pub', 'plan.a', 'later', ...after)
    const every = ['--schedule-every', '1s', '--schedule-dest', 'plan.often']
    await cli().run('pub', 'plan.b', 'again', ...every)
    const counts = /plan\.often │ (?:[2-9]|\d\d) /
    await repeatUntil('the schedule comes twice', async () =>
      counts.test(await cli().run('stream', 'subjects', 'PLANS')),
    )
    const once = await cli().run('stream', 'get', 'PLANS', '--last-for', 'plan.once')
    assert.match(once, /Nats-Scheduler: plan\.a[\s\S]*later/)
    const subjects = await cli().run('stream', 'subjects', 'PLANS')
    assert.doesNotMatch(subjects, /plan\.a /)
    assert.match(subjects, /plan\.b +│ 1 /)
  })
})
