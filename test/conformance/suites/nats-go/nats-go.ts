import { freePorts } from '../../support/free-ports.ts'
import { ServerProcess } from '../../support/server-process.ts'
import { parseGoEvents } from '../go-events.ts'
import { NATS_TARGETS, natsServerProgram } from '../nats-program.ts'
import type { Suite, SuiteTest } from '../suite.ts'
import { ServerTester } from './server-tester.ts'

const PACKAGES = ['./test', './jetstream/test', './micro/test']
const PACKAGE_LIMIT_MS = 1_800_000
const START_LIMIT_MS = 30_000

/**
 * The tests of nats.go that need servers. They ask a tester for them by NATS, with a configuration for each
 * test; ours starts single ones, so those of clusters and generated certificates fail on both targets.
 */
export const natsGo: Suite = {
  source: 'github.com/nats-io/nats.go 850f889c',
  targets: NATS_TARGETS,
  run: async ({ target, checkout, directory, only, command }) => {
    const program = await natsServerProgram(target, directory)
    const [port = 0] = await freePorts(1)
    const between = new ServerProcess(program, ['-a', '127.0.0.1', '-p', String(port)])
    try {
      await between.waitFor(/Server is ready/, START_LIMIT_MS)
      const url = `nats://127.0.0.1:${port}`
      const tester = await ServerTester.start(url, program)
      const tests: SuiteTest[] = []
      try {
        for (const name of PACKAGES) {
          const limit = [`-timeout=${PACKAGE_LIMIT_MS / 1000}s`, '-p=1', '-count=1', '-vet=off']
          const flags = ['-modfile=go_test.mod', '-tags=internal_testing', '-json', ...limit]
          const select = only === undefined ? [] : ['-run', only]
          const { output } = await command(
            name.slice(2).replace('/', '-'),
            'go',
            ['test', ...flags, ...select, name],
            {
              cwd: checkout,
              limitMs: PACKAGE_LIMIT_MS + 60_000,
              env: { GOFLAGS: '', GOWORK: 'off', TESTER_NATS_URL: url },
            },
          )
          const its = parseGoEvents(output)
          tests.push(...its.map((test) => ({ ...test, name: `${name} ${test.name}` })))
        }
      } finally {
        await tester.close()
      }
      return tests
    } finally {
      await between.stop()
    }
  },
}
