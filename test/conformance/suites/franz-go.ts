import { parseGoEvents } from './go-events.ts'
import type { BrokerSuite } from './suite.ts'

const LIMIT_MS = 1_500_000

/** The tests of the package kgo: those of the client alone, and those that need a broker. */
export const franzGo: BrokerSuite = {
  needs: 'broker',
  source: 'github.com/twmb/franz-go v1.22.3',
  config: {},
  run: async ({ checkout, bootstrap, only, command }) => {
    const flags = ['-json', '-count=1', `-timeout=${LIMIT_MS / 1_000}s`]
    const select = only === undefined ? [] : ['-run', only]
    const { output } = await command('kgo', 'go', ['test', ...flags, ...select, './pkg/kgo'], {
      cwd: checkout,
      limitMs: LIMIT_MS + 60_000,
      env: {
        GOFLAGS: '-mod=mod',
        GOWORK: 'off',
        KGO_SEEDS: bootstrap,
        KGO_TEST_RF: '1',
        // Their default is half a million records for each chain of groups, made for larger machines.
        KGO_TEST_RECORDS: process.env['KGO_TEST_RECORDS'] ?? '50000',
        KGO_LOG_LEVEL: process.env['KGO_LOG_LEVEL'] ?? 'none',
      },
    })
    return parseGoEvents(output)
  },
}
