import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ErrorCode } from '../../../../../src/base/error-code.ts'
import {
  type FindCoordinatorServices,
  findCoordinatorHandler,
} from '../../../../../src/frontends/kafka/handlers/10-find-coordinator.ts'
import { findCoordinatorApi } from '../../../../../src/wire/kafka/messages/10-find-coordinator.ts'
import { call } from './group-apis-harness.ts'

const locatorOf = (errorCode: ErrorCode) => ({ locate: () => errorCode })
const READY = { nodeId: 7, groups: locatorOf(ErrorCode.NONE) }

const find = (services: FindCoordinatorServices, version: number, keyType: number, key: string) =>
  call(findCoordinatorApi, findCoordinatorHandler(services), version, {
    ...(version === 0 ? {} : { keyType }),
    ...(version < 4 ? { key } : { coordinatorKeys: [key] }),
  })

const findCode = async (
  services: FindCoordinatorServices,
  version: number,
  keyType: number,
  key = 'k',
) => {
  const answer = await find(services, version, keyType, key)
  return version < 4 ? answer.errorCode : answer.coordinators[0]?.errorCode
}

describe('FindCoordinator', () => {
  it('gives this broker at the address the client reaches it, in every version', async () => {
    const place = { nodeId: 7, host: 'broker.example', port: 9092 }
    for (let version = 0; version <= 6; version++) {
      const answer = await find(READY, version, 0, 'g')
      const found = version < 4 ? answer : answer.coordinators[0]
      const { nodeId, host, port } = found ?? {}
      assert.deepEqual({ nodeId, host, port }, place)
      assert.equal(found?.errorCode, ErrorCode.NONE)
    }
    assert.equal((await find(READY, 1, 0, 'g')).errorMessage, 'NONE')
  })

  it('is COORDINATOR_NOT_AVAILABLE with no address until the topic exists', async () => {
    const creating = { nodeId: 7, groups: locatorOf(ErrorCode.COORDINATOR_NOT_AVAILABLE) }
    const answer = await find(creating, 2, 0, 'g')
    assert.equal(answer.errorCode, ErrorCode.COORDINATOR_NOT_AVAILABLE)
    assert.deepEqual([answer.nodeId, answer.host, answer.port], [-1, '', -1])
    assert.equal(await findCode(creating, 5, 0), ErrorCode.COORDINATOR_NOT_AVAILABLE)
  })

  it('refuses an unknown key type and a bad share key with 42', async () => {
    const services = { ...READY, shares: locatorOf(ErrorCode.NONE) }
    assert.equal(await findCode(services, 6, 9), ErrorCode.INVALID_REQUEST)
    assert.equal(await findCode(services, 2, -1), ErrorCode.INVALID_REQUEST)
    const id = 'c3Bvb2wtdG9waWMtaWQwMQ'
    assert.equal(await findCode(services, 6, 2, `g:${id}:0`), ErrorCode.NONE)
    assert.equal(await findCode(services, 6, 2, `a:b:${id}:12`), ErrorCode.NONE)
    assert.equal(await findCode(services, 5, 2, `g:${id}:0`), ErrorCode.INVALID_REQUEST)
    for (const key of ['g', `g:${id}`, `:${id}:0`, 'g:short:0', `g:${id}:x`, `g:${id}:`]) {
      assert.equal(await findCode(services, 6, 2, key), ErrorCode.INVALID_REQUEST, key)
    }
  })

  it('says at once that there is no transaction coordinator, so no client waits for one', async () => {
    const answer = await find(READY, 3, 1, 't')
    assert.equal(answer.errorCode, ErrorCode.UNSUPPORTED_VERSION)
    assert.equal(answer.errorMessage, 'this broker has no transaction coordinator')
    const services = { ...READY, transactions: locatorOf(ErrorCode.NONE) }
    assert.equal(await findCode(services, 4, 1), ErrorCode.NONE)
  })
})
