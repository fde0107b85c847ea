import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ConfigAlterer } from '../../../../../src/broker/configs/config-alterer.ts'
import { ConfigDescriber } from '../../../../../src/broker/configs/config-describer.ts'
import { SerialTasks } from '../../../../../src/broker/serial-tasks.ts'
import { describeAclsHandler } from '../../../../../src/frontends/kafka/handlers/29-describe-acls.ts'
import { createAclsHandler } from '../../../../../src/frontends/kafka/handlers/30-create-acls.ts'
import { deleteAclsHandler } from '../../../../../src/frontends/kafka/handlers/31-delete-acls.ts'
import { describeConfigsHandler } from '../../../../../src/frontends/kafka/handlers/32-describe-configs.ts'
import { alterConfigsHandler } from '../../../../../src/frontends/kafka/handlers/33-alter-configs.ts'
import { alterReplicaLogDirsHandler } from '../../../../../src/frontends/kafka/handlers/34-alter-replica-log-dirs.ts'
import { describeLogDirsHandler } from '../../../../../src/frontends/kafka/handlers/35-describe-log-dirs.ts'
import { electLeadersHandler } from '../../../../../src/frontends/kafka/handlers/43-elect-leaders.ts'
import { incrementalAlterConfigsHandler } from '../../../../../src/frontends/kafka/handlers/44-incremental-alter-configs.ts'
import { alterPartitionReassignmentsHandler } from '../../../../../src/frontends/kafka/handlers/45-alter-partition-reassignments.ts'
import { describeQuorumHandler } from '../../../../../src/frontends/kafka/handlers/55-describe-quorum.ts'
import { updateFeaturesHandler } from '../../../../../src/frontends/kafka/handlers/57-update-features.ts'
import { describeClusterHandler } from '../../../../../src/frontends/kafka/handlers/60-describe-cluster.ts'
import { describeProducersHandler } from '../../../../../src/frontends/kafka/handlers/61-describe-producers.ts'
import { listConfigResourcesHandler } from '../../../../../src/frontends/kafka/handlers/74-list-config-resources.ts'
import { describeAclsApi } from '../../../../../src/wire/kafka/messages/29-describe-acls.ts'
import { createAclsApi } from '../../../../../src/wire/kafka/messages/30-create-acls.ts'
import { deleteAclsApi } from '../../../../../src/wire/kafka/messages/31-delete-acls.ts'
import { describeConfigsApi } from '../../../../../src/wire/kafka/messages/32-describe-configs.ts'
import { alterConfigsApi } from '../../../../../src/wire/kafka/messages/33-alter-configs.ts'
import { alterReplicaLogDirsApi } from '../../../../../src/wire/kafka/messages/34-alter-replica-log-dirs.ts'
import { describeLogDirsApi } from '../../../../../src/wire/kafka/messages/35-describe-log-dirs.ts'
import { electLeadersApi } from '../../../../../src/wire/kafka/messages/43-elect-leaders.ts'
import { incrementalAlterConfigsApi } from '../../../../../src/wire/kafka/messages/44-incremental-alter-configs.ts'
import { alterPartitionReassignmentsApi } from '../../../../../src/wire/kafka/messages/45-alter-partition-reassignments.ts'
import { describeQuorumApi } from '../../../../../src/wire/kafka/messages/55-describe-quorum.ts'
import { updateFeaturesApi } from '../../../../../src/wire/kafka/messages/57-update-features.ts'
import { describeClusterApi } from '../../../../../src/wire/kafka/messages/60-describe-cluster.ts'
import { describeProducersApi } from '../../../../../src/wire/kafka/messages/61-describe-producers.ts'
import { listConfigResourcesApi } from '../../../../../src/wire/kafka/messages/74-list-config-resources.ts'
import { makeCluster, topicImage } from '../../../support/fake-cluster.ts'
import { FakeClock } from '../../../support/ports.ts'
import { call, ORDERS_ID } from './group-apis-harness.ts'

async function makeServices() {
  const cluster = await makeCluster({ configs: { 'ssl.key.password': 'hush-hush' } })
  await cluster.metadata.commit([
    { kind: 'topicCreated', topic: topicImage('orders', ORDERS_ID, 2) },
    { kind: 'featureSet', name: 'metadata.version', level: 33 },
  ])
  return {
    ...cluster,
    partitions: cluster.registry,
    configDescriber: new ConfigDescriber(cluster.metadata, cluster.config),
    configAlterer: new ConfigAlterer(cluster.metadata, cluster.config, new SerialTasks()),
  }
}

describe('DescribeCluster (KIP-700)', () => {
  it('names this broker, and refuses to speak for controllers', async () => {
    const { metadata } = await makeServices()
    const handler = describeClusterHandler({ metadata, rack: 'r1' })
    const describeType = (endpointType: number) =>
      call(describeClusterApi, handler, 2, {
        includeClusterAuthorizedOperations: true,
        endpointType,
      })
    const found = await describeType(1)
    assert.deepEqual(found.brokers, [
      { brokerId: 1, host: 'broker.example', port: 9092, rack: 'r1', isFenced: false },
    ])
    assert.equal(found.clusterAuthorizedOperations, 8096)
    assert.equal((await describeType(2)).errorCode, 114)
    assert.equal((await describeType(7)).errorCode, 115)
  })
})

describe('the APIs of configs', () => {
  it('show 350 broker configs of Kafka with their types, and no secret', async () => {
    const handler = describeConfigsHandler(await makeServices())
    for (let version = 1; version <= 4; version++) {
      const { results } = await call(describeConfigsApi, handler, version, {
        resources: [
          { resourceType: 4, resourceName: '1', configurationKeys: null },
          { resourceType: 2, resourceName: 'nope', configurationKeys: null },
          { resourceType: 99, resourceName: '', configurationKeys: null },
        ],
        includeSynonyms: true,
      })
      assert.deepEqual(
        results.map(({ errorCode }) => errorCode),
        [0, 3, 42],
      )
      const configs = results[0]?.configs ?? []
      assert.equal(configs.filter(({ name }) => !name.startsWith('spool.')).length, 350)
      const creation = configs.find(({ name }) => name === 'auto.create.topics.enable')
      assert.deepEqual([creation?.value, creation?.configType], ['true', version < 3 ? 0 : 1])
      assert.equal(JSON.stringify(results).includes('hush-hush'), false)
    }
  })

  it('change one config, or all that are set', async () => {
    const services = await makeServices()
    const resource = { resourceType: 2, resourceName: 'orders' }
    const set = { name: 'retention.ms', configOperation: 0, value: '5' }
    const incremental = await call(
      incrementalAlterConfigsApi,
      incrementalAlterConfigsHandler(services),
      1,
      { resources: [{ ...resource, configs: [set] }], validateOnly: false },
    )
    assert.equal(incremental.responses[0]?.errorCode, 0)
    assert.equal(services.metadata.image.configs(2, 'orders').get('retention.ms'), '5')
    const configs = [{ name: 'segment.ms', value: '7' }]
    await call(alterConfigsApi, alterConfigsHandler(services), 2, {
      resources: [{ ...resource, configs }],
      validateOnly: false,
    })
    assert.deepEqual([...services.metadata.image.configs(2, 'orders')], [['segment.ms', '7']])
  })

  it('list resources by type; v0 means client metrics', async () => {
    const handler = listConfigResourcesHandler(await makeServices())
    const list = async (version: number, resourceTypes: number[]) => {
      const request = version === 0 ? {} : { resourceTypes }
      const response = await call(listConfigResourcesApi, handler, version, request as never)
      return [response.errorCode, response.configResources.map((one) => one.resourceName)]
    }
    assert.deepEqual(await list(1, []), [0, ['1', 'orders']])
    assert.deepEqual(await list(1, [2]), [0, ['orders']])
    assert.deepEqual(await list(1, [2, 99]), [35, []])
    assert.deepEqual(await list(0, []), [0, []])
  })
})

describe('the APIs of one node', () => {
  it('ElectLeaders is not needed, or there is no such partition', async () => {
    const handler = electLeadersHandler(await makeServices())
    const topicPartitions = [{ topic: 'orders', partitions: [0, 9] }]
    const elect = async (electionType: number) => {
      const request = { electionType, topicPartitions }
      const { replicaElectionResults } = await call(electLeadersApi, handler, 2, request)
      return replicaElectionResults[0]?.partitionResult.map(({ errorCode }) => errorCode)
    }
    assert.deepEqual(await elect(0), [84, 3])
    assert.deepEqual(await elect(7), [42, 42])
  })

  it('a reassignment may only say what is so', async () => {
    const handler = alterPartitionReassignmentsHandler(await makeServices())
    const at = (partitionIndex: number, replicas: number[] | null) => ({ partitionIndex, replicas })
    const partitions = [at(0, [1]), at(1, [2]), at(1, null), at(9, [1])]
    const request = { topics: [{ name: 'orders', partitions }] }
    const { responses } = await call(alterPartitionReassignmentsApi, handler, 0, request)
    assert.deepEqual(
      responses[0]?.partitions.map(({ errorCode }) => errorCode),
      [0, 39, 85, 3],
    )
  })

  it('the quorum is this node', async () => {
    const quorum = { leaderEpoch: 3, logEndOffset: 20, directoryId: ORDERS_ID }
    const handler = describeQuorumHandler({ nodeId: 1, clock: new FakeClock(), quorum })
    const partitions = [{ partitionIndex: 0 }]
    const topics = [
      { topicName: '__cluster_metadata', partitions },
      { topicName: 'orders', partitions },
    ]
    const response = await call(describeQuorumApi, handler, 2, { topics })
    const [metadata, other] = response.topics.map((topic) => topic.partitions[0])
    assert.deepEqual(
      [metadata?.leaderId, metadata?.leaderEpoch, metadata?.currentVoters.length],
      [1, 3, 1],
    )
    assert.equal(other?.errorCode, 3)
  })

  it('producers are described per partition', async () => {
    const handler = describeProducersHandler(await makeServices())
    const topics = ['orders', 'nope', 'a/b'].map((name) => ({ name, partitionIndexes: [0] }))
    const response = await call(describeProducersApi, handler, 0, { topics })
    assert.deepEqual(
      response.topics.map(({ partitions }) => partitions[0]?.errorCode),
      [0, 3, 17],
    )
  })
})

describe('UpdateFeatures (KIP-584)', () => {
  it('other features stay at their level', async () => {
    const handler = updateFeaturesHandler(await makeServices())
    const update = async (feature: string, maxVersionLevel: number) => {
      const featureUpdates = [{ feature, maxVersionLevel }]
      return (await call(updateFeaturesApi, handler, 1, { featureUpdates })).errorCode
    }
    assert.equal(await update('metadata.version', 33), 0)
    assert.equal(await update('metadata.version', 32), 95)
    assert.equal(await update('nope', 1), 95)
  })

  it('transaction.version is lowered and raised, with the words of Kafka (KIP-778)', async () => {
    const services = await makeServices()
    const name = 'transaction.version'
    await services.metadata.commit([{ kind: 'featureSet', name, level: 2 }])
    const handler = updateFeaturesHandler(services)
    const update = async (maxVersionLevel: number, upgradeType: number, validateOnly = false) => {
      const featureUpdates = [{ feature: name, maxVersionLevel, upgradeType }]
      const answer = await call(updateFeaturesApi, handler, 2, { featureUpdates, validateOnly })
      const level = services.metadata.image.features.get(name) ?? 0
      return [level, answer.errorCode, answer.errorMessage?.split('. ').at(-1)]
    }
    const [UPGRADE, SAFE, UNSAFE] = [1, 2, 3]
    const needsType =
      "Can't downgrade the version of this feature without setting the upgrade type to either safe or unsafe downgrade."
    assert.deepEqual(await update(1, UPGRADE), [2, 95, needsType])
    assert.deepEqual(await update(1, SAFE, true), [2, 0, undefined])
    assert.deepEqual(await update(1, SAFE), [1, 0, undefined])
    assert.deepEqual(await update(0, UNSAFE), [0, 0, undefined])
    assert.deepEqual(await update(2, SAFE), [0, 95, "Can't downgrade to a newer version."])
    assert.deepEqual(await update(2, UPGRADE), [2, 0, undefined])
    const range = 'Local controller 1 only supports versions 0-2'
    assert.deepEqual(await update(3, UPGRADE), [2, 95, range])
    assert.deepEqual(await update(-1, SAFE), [2, 95, 'A feature version cannot be less than 0.'])
    const type = 'The controller does not support the given upgrade type.'
    assert.deepEqual(await update(1, 0), [2, 95, type])
  })
})

describe('the log directory of one node (KIP-113)', () => {
  it('log dirs show the bytes of known partitions only', async () => {
    const { registry } = await makeServices()
    const diskBytes = () => ({ total: -1, usable: 7 })
    const handler = describeLogDirsHandler({ registry, logDir: '/data', diskBytes })
    const topics = [
      { topic: 'orders', partitions: [1, 9] },
      { topic: 'nope', partitions: [0] },
    ]
    const { results } = await call(describeLogDirsApi, handler, 4, { topics })
    assert.equal(results[0]?.usableBytes, 7)
    assert.deepEqual(
      results[0]?.topics.map(({ name, partitions }) => [name, partitions.length]),
      [['orders', 1]],
    )
    const all = await call(describeLogDirsApi, handler, 4, { topics: null })
    assert.equal(all.results[0]?.topics[0]?.partitions.length, 2)
  })

  it('a replica can stay in the only directory, and move to no other (KIP-113)', async () => {
    const { registry } = await makeServices()
    const handler = alterReplicaLogDirsHandler({ registry, logDir: '/data' })
    const dirs = [
      {
        path: '/data',
        topics: [
          { name: 'orders', partitions: [0, 9] },
          { name: 'nope', partitions: [0] },
        ],
      },
      { path: '/elsewhere', topics: [{ name: 'orders', partitions: [1] }] },
      { path: '/elsewhere', topics: [{ name: 'd'.repeat(214), partitions: [0] }] },
      { path: '/elsewhere', topics: [{ name: 'd'.repeat(213), partitions: [0] }] },
    ]
    const { results } = await call(alterReplicaLogDirsApi, handler, 2, { dirs })
    const codes = results.map(({ topicName, partitions }) => [
      topicName,
      ...partitions.map(({ partitionIndex, errorCode }) => [partitionIndex, errorCode]),
    ])
    // UNKNOWN_TOPIC_OR_PARTITION, LOG_DIR_NOT_FOUND, INVALID_TOPIC
    assert.deepEqual(codes, [
      ['orders', [0, 0], [9, 3], [1, 57]],
      ['nope', [0, 3]],
      ['d'.repeat(214), [0, 17]],
      ['d'.repeat(213), [0, 57]],
    ])
  })
})

describe('ACLs without an authorizer', () => {
  it('are refused with SECURITY_DISABLED, one by one', async () => {
    const acl = { principal: 'User:a', host: '*', operation: 3, permissionType: 3 }
    const any = { resourceTypeFilter: 1, operation: 1, permissionType: 1 }
    const filter = { ...any, resourceNameFilter: null, principalFilter: null, hostFilter: null }
    const described = await call(describeAclsApi, describeAclsHandler(), 3, filter)
    assert.equal(described.errorCode, 54)
    const creations = [{ ...acl, resourceType: 2, resourceName: 'orders' }]
    const created = await call(createAclsApi, createAclsHandler(), 3, { creations })
    assert.deepEqual(
      created.results.map(({ errorCode }) => errorCode),
      [54],
    )
    const deleted = await call(deleteAclsApi, deleteAclsHandler(), 3, { filters: [filter] })
    assert.deepEqual(
      deleted.filterResults.map(({ errorCode, matchingAcls }) => [errorCode, matchingAcls]),
      [[54, []]],
    )
  })
})
