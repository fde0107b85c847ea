import assert from 'node:assert/strict'
import { it } from 'node:test'
import { installOrbit } from '../peers/orbit.ts'
import { mustRun } from '../support/command.ts'
import { talkToBoth } from './conversation.ts'

const RUN_LIMIT_MS = 90_000

it('the batches of nats.go come to the same as on nats-server (ADR-50)', async () => {
  const client = await installOrbit()
  const { ours, theirs } = await talkToBoth(async (connection) => {
    const output = await mustRun(client, [connection.getServer()], { limitMs: RUN_LIMIT_MS })
    return output.trim().split('\n')
  })
  assert.deepEqual(ours, theirs)
  assert.ok(ours.includes('thousand BATCHES 1010 1000 true'))
})
