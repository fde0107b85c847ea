import { strict as assert } from 'node:assert'
import { describe, it } from 'node:test'
import { loadSettings, parseSetting, type SettingsInput } from '../../../src/app/broker-settings.ts'
import { withTree } from '../scripts/temporary-tree.ts'

const load = (settings: Readonly<Record<string, string>>, input: SettingsInput = {}) =>
  loadSettings({ ...input, settings: new Map(Object.entries(settings)) })

describe('the data directory', () => {
  it('is where log.dir says, unless log.dirs says another place', () => {
    assert.equal(load({ 'log.dir': '/one' }).dataDir, '/one')
    assert.equal(load({ 'log.dir': '/one', 'log.dirs': '/two' }).dataDir, '/two')
  })
})

describe('the node id', () => {
  const nodeIdOf = () => 7

  it('is that of the data directory, unless a setting says another one', () => {
    assert.equal(load({}, { nodeIdOf }).nodeId, 7)
    assert.equal(load({ 'node.id': '3' }, { nodeIdOf }).nodeId, 3)
    assert.equal(load({ 'broker.id': '4' }, { nodeIdOf }).nodeId, 4)
    assert.equal(load({ 'broker.id': '-1' }, { nodeIdOf }).nodeId, 7)
    assert.equal(load({}, { nodeIdOf: () => undefined }).nodeId, 1)
    assert.equal(load({}, { nodeIdOf }).config.getInt('node.id'), 7)
  })
})

describe('broker settings', () => {
  it('listens on loopback by default', () => {
    const settings = loadSettings({})
    assert.deepEqual(settings.kafka, { host: '127.0.0.1', port: 9092 })
    assert.deepEqual(settings.http, { host: '127.0.0.1', port: 8080 })
    assert.equal(settings.dataDir, './spool-data')
    assert.equal(settings.nodeId, 1)
    assert.equal(settings.advertised, null)
  })

  it('takes a server.properties as it is, --set over it, flags over both', async () => {
    const properties = [
      'process.roles=broker,controller',
      'node.id=7',
      'listeners=PLAINTEXT://127.0.0.1:9192,CONTROLLER://127.0.0.1:9193',
      'controller.listener.names=CONTROLLER',
      'log.dirs=/data/kafka',
      'num.partitions=3',
      'log.retention.hours=24',
      'advertised.listeners=PLAINTEXT://broker.example:9192',
    ].join('\n')
    await withTree({ 'server.properties': properties }, async (root) => {
      const configFile = `${root}/server.properties`
      const settings = load({ 'num.partitions': '5' }, { configFile })
      assert.equal(settings.nodeId, 7)
      assert.deepEqual(settings.kafka, { host: '127.0.0.1', port: 9192 })
      assert.equal(settings.dataDir, '/data/kafka')
      assert.equal(settings.config.getInt('num.partitions'), 5)
      assert.equal(settings.config.getString('log.retention.hours'), '24')
      assert.deepEqual(settings.advertised, { host: 'broker.example', port: 9192 })
      const flags = load({}, { configFile, kafka: 'localhost:1', dataDir: '/other' })
      assert.deepEqual(flags.kafka, { host: 'localhost', port: 1 })
      assert.equal(flags.dataDir, '/other')
    })
  })

  it('shows clients what holds, not what was asked', () => {
    const { config } = loadSettings({ kafka: '127.0.0.1:0', dataDir: '/d' })
    assert.equal(config.getString('listeners'), 'PLAINTEXT://127.0.0.1:0')
    assert.equal(config.getString('log.dirs'), '/d')
    assert.equal(config.getString('node.id'), '1')
  })

  it('suggests the nearest name for an unknown one', () => {
    assert.throws(() => load({ 'num.partition': '3' }), {
      name: 'ConfigError',
      message: /unknown configuration num\.partition: did you mean num\.partitions\?/,
    })
  })

  it('names a value that does not fit', () => {
    assert.throws(() => load({ 'num.partitions': 'many' }), /Invalid value many .*num\.partitions/)
  })

  it('refuses what it cannot serve, in words', () => {
    const cases: [Record<string, string>, RegExp][] = [
      [{ listeners: 'SSL://127.0.0.1:9092' }, /the listener SSL wants SSL: only PLAINTEXT/],
      [{ listeners: 'PLAINTEXT://127.0.0.1:1,SSL://127.0.0.1:2' }, /exactly one listener/],
      [{ listeners: '127.0.0.1:9092' }, /is not NAME:\/\/HOST:PORT/],
      [{ 'log.dirs': '/a,/b' }, /must name exactly one directory/],
      [{ 'cordoned.log.dirs': '*' }, /the only data directory to new topics: take it out/],
      [{ 'advertised.listeners': 'PLAINTEXT://:9092' }, /must name a host and a port/],
      [{ listeners: 'PLAINTEXT://:9092' }, /--allow-anonymous/],
    ]
    for (const [settings, message] of cases) {
      assert.throws(() => load(settings), { name: 'ConfigError', message })
    }
  })

  it('says that a config file is missing', () => {
    assert.throws(
      () => loadSettings({ configFile: '/none' }),
      /the config file \/none is not there/,
    )
  })

  it('reads name=value; the value may hold more of them', () => {
    assert.deepEqual(parseSetting('a.b = c=d '), ['a.b', 'c=d'])
    assert.deepEqual(parseSetting('a='), ['a', ''])
    for (const text of ['a', '=b', '']) assert.throws(() => parseSetting(text), /is not name=value/)
  })
})
