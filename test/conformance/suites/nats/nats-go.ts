import { connect } from '@nats-io/transport-node'
import { needProgram } from '../../peers/cache.ts'
import { parseGoEvents } from '../go-events.ts'
import type { ServerSuite, SuiteTest } from '../suite.ts'
import { ManagedServer } from './managed-server.ts'
import { Tester } from './tester.ts'

const PART_LIMIT_MS = 1_800_000
const PARTS = ['./test', './jetstream/test', './micro/test']
/** Tests with their own settings, as its makers give them. */
const FLAGS = ['-modfile=go_test.mod', '-tags=internal_testing', '-p=1', '-count=1', '-vet=off']

/** The tests that need a server, of each package. A tester starts what they ask for. */
export const natsGo: ServerSuite = {
  needs: 'server program',
  source: 'github.com/nats-io/nats.go 850f889',
  run: async ({ checkout, server: program, only, command }) => {
    await needProgram('go')
    const office = await ManagedServer.create(program, false, {})
    const url = `nats://127.0.0.1:${office.place.port}`
    const connection = await connect({ servers: url })
    const tester = new Tester(program)
    tester.serve(connection)
    await connection.flush()
    try {
      const select = only === undefined ? [] : ['-run', only]
      const limit = `-timeout=${PART_LIMIT_MS / 1_000}s`
      const tests: SuiteTest[] = []
      for (const part of PARTS) {
        const args = ['test', '-json', ...FLAGS, limit, ...select, part]
        const { output } = await command(part.slice(2), 'go', args, {
          cwd: checkout,
          limitMs: PART_LIMIT_MS + 60_000,
          env: { GOFLAGS: '', GOWORK: 'off', TESTER_NATS_URL: url },
        })
        for (const test of parseGoEvents(output)) {
          tests.push({ ...test, name: `${part} ${test.name}`, part })
        }
      }
      return tests
    } finally {
      await connection.close()
      await tester.close()
      await office.remove()
    }
  },
}
