import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import {
  brokerConfigDefinitions,
  topicConfigDefinitions,
} from '../../../src/broker/configs/config-tables.ts'
import {
  CONFIGS_WITHOUT_EFFECT,
  hasEffect,
} from '../../../src/broker/configs/configs-without-effect.ts'
import { isAccepted, isChangeable } from '../../../src/broker/configs/dynamic-configs.ts'
import { START_EFFECTS } from './start-config-effects.ts'
import { TOPIC_EFFECTS } from './topic-config-effects.ts'

/** Broker configs about what is on disk. */
const STORAGE = new RegExp(
  '^(log|metadata|remote|replica|compression|producer\\.id|local|cordoned|offsets\\.topic\\.segment|' +
    'transaction\\.state\\.log\\.segment|share\\.coordinator\\.state\\.topic\\.segment)\\.|' +
    '^(message\\.max\\.bytes|max\\.decompressed\\.message\\.bytes|min\\.insync\\.replicas|' +
    'unclean\\.leader\\.election\\.enable|num\\.recovery\\.threads\\.per\\.data\\.dir)$',
)

/** Configs whose effect is tested elsewhere: the file says their names. */
const TESTED_IN: Readonly<Record<string, readonly string[]>> = {
  '../broker/configs/cleaner-config.test.ts': [
    'log.cleaner.backoff.ms',
    'log.cleaner.dedupe.buffer.size',
    'log.cleaner.enable',
    'log.cleaner.io.buffer.load.factor',
    'log.cleaner.io.buffer.size',
    'log.cleaner.io.max.bytes.per.second',
    'log.cleaner.threads',
  ],
  'broker-settings.test.ts': ['cordoned.log.dirs', 'log.dir', 'log.dirs'],
  'internal-topic-configs.test.ts': [
    'offsets.topic.segment.bytes',
    'transaction.state.log.segment.bytes',
    'share.coordinator.state.topic.segment.bytes',
  ],
}

function testedBrokerConfigs(): Set<string> {
  const topic = topicConfigDefinitions()
  const defaults = TOPIC_EFFECTS.map(({ config }) => topic.get(config)?.brokerName ?? '')
  const atStart = START_EFFECTS.map(({ config }) => config)
  return new Set([...defaults, ...atStart, ...Object.values(TESTED_IN).flat()])
}

describe('every config about storage', () => {
  it('of a topic has a test of its effect, or is documented to have none', () => {
    const tested = new Set(TOPIC_EFFECTS.map(({ config }) => config))
    for (const { name } of topicConfigDefinitions().values())
      assert.equal(tested.has(name), hasEffect(name), name)
    assert.equal(tested.size, TOPIC_EFFECTS.length, 'each once')
  })

  it('of the broker has a test of its effect, or is documented to have none', () => {
    const tested = testedBrokerConfigs()
    const names = [...brokerConfigDefinitions().keys()].filter((name) => STORAGE.test(name))
    assert(names.length > 80, String(names.length))
    for (const name of names) {
      assert.equal(tested.has(name), hasEffect(name), name)
    }
  })

  it('that is tested elsewhere is named there', () => {
    for (const [file, names] of Object.entries(TESTED_IN)) {
      const text = readFileSync(new URL(file, import.meta.url), 'utf8')
      for (const name of names) assert(text.includes(`'${name}'`), `${file} does not test ${name}`)
    }
  })
})

describe('a config without effect', () => {
  it('is a config of Kafka, and in the table of docs/compatibility.md with a reason', () => {
    const names = [...brokerConfigDefinitions().keys(), ...topicConfigDefinitions().keys()]
    const docs = readFileSync(new URL('../../../docs/compatibility.md', import.meta.url), 'utf8')
    const table = docs.slice(docs.indexOf('why they change nothing'))
    const documented = new Set(
      [...table.matchAll(/^\|(.*)\|(.*)\|$/gm)].flatMap(([, cell = '']) =>
        [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name),
      ),
    )
    assert.deepEqual([...documented].sort(), [...CONFIGS_WITHOUT_EFFECT].sort())
    for (const pattern of CONFIGS_WITHOUT_EFFECT) {
      const prefix = pattern.replace(/\*$/, '')
      assert(
        names.some((name) => name === pattern || (prefix !== pattern && name.startsWith(prefix))),
      )
    }
  })

  it('is shown as read-only, and may be set when Kafka lets one set it', () => {
    for (const { name, isReadOnly } of brokerConfigDefinitions().values()) {
      if (hasEffect(name)) assert.equal(isAccepted(name), isChangeable(name), name)
      else assert.deepEqual([isChangeable(name), isAccepted(name)], [false, !isReadOnly], name)
    }
    assert.equal(isAccepted('num.io.threads'), true)
    assert.equal(isAccepted('listeners'), false)
  })
})
