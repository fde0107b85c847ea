import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { startTarget, type Target, targetKind } from '../target.ts'
import { committedOffsets } from './committed-offsets.ts'
import { configs } from './configs.ts'
import { consumerGroups } from './consumer-groups.ts'
import { fetch } from './fetch.ts'
import { fetchSessions } from './fetch-sessions.ts'
import { framing } from './framing.ts'
import { groupAdmin } from './group-admin.ts'
import { groupConfigs } from './group-configs.ts'
import { groupMembership } from './group-membership.ts'
import { groupMigration } from './group-migration.ts'
import { idempotence } from './idempotence.ts'
import { logDirs } from './log-dirs.ts'
import { metadata } from './metadata.ts'
import { offsets } from './offsets.ts'
import { produce } from './produce.ts'
import { shareGroups } from './share-groups.ts'
import { shareStarts } from './share-starts.ts'
import { streamsGroups } from './streams-groups.ts'
import { Broker } from './support/broker.ts'
import { Mask } from './support/mask.ts'
import type { Scenario } from './support/scenario.ts'
import { topics } from './topics.ts'
import { transactionFaults } from './transaction-faults.ts'
import { transactions } from './transactions.ts'

const SCENARIOS: Readonly<Record<string, readonly Scenario[]>> = {
  'framing and versions': framing,
  metadata,
  topics,
  configs,
  'log directories': logDirs,
  produce,
  'idempotent producers': idempotence,
  fetch,
  'fetch sessions': fetchSessions,
  offsets,
  'group membership': groupMembership,
  'committed offsets': committedOffsets,
  'group administration': groupAdmin,
  'consumer groups': consumerGroups,
  'groups between the protocols': groupMigration,
  'configs of groups': groupConfigs,
  'share groups': shareGroups,
  'where share groups begin': shareStarts,
  'streams groups': streamsGroups,
  transactions,
  'transactions that go wrong': transactionFaults,
}

/** Their texts are Kafka's, word for word. */
const WORD_FOR_WORD = new Set([
  'group membership',
  'committed offsets',
  'group administration',
  'consumer groups',
  'groups between the protocols',
  'configs of groups',
  'streams groups',
])

/** Runs a scenario and returns what it saw without what must differ between brokers. */
async function observe(
  scenario: Scenario,
  target: Target,
  comparesTexts: boolean,
): Promise<unknown> {
  const broker = new Broker(target.bootstrap)
  try {
    return new Mask(comparesTexts).apply(await scenario.run(broker))
  } catch (error) {
    return `failed: ${(error as Error).message}`
  } finally {
    broker.close()
  }
}

describe('the same requests to Apache Kafka and to the broker under test', () => {
  let kafka: Target
  let target: Target

  before(async () => {
    kafka = await startTarget('kafka')
    target = await startTarget(targetKind())
  })
  after(async () => {
    await target?.stop()
    await kafka?.stop()
  })

  for (const [area, scenarios] of Object.entries(SCENARIOS)) {
    describe(area, () => {
      const comparesTexts = WORD_FOR_WORD.has(area)
      for (const scenario of scenarios) {
        it(scenario.title, async () => {
          const [expected, actual] = await Promise.all([
            observe(scenario, kafka, comparesTexts),
            observe(scenario, target, comparesTexts),
          ])
          assert.doesNotMatch(String(expected), /^failed: /, 'Kafka goes through the scenario')
          const { spoolAnswers } = scenario
          if (spoolAnswers === undefined || target.kind === 'kafka') {
            assert.deepEqual(actual, expected)
          } else {
            assert.deepEqual(actual, spoolAnswers)
            assert.notDeepEqual(actual, expected, 'Spool differs from Kafka no longer')
          }
        })
      }
    })
  }
})
