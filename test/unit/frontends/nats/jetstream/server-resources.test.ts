import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { UNLIMITED } from '../../../../../src/frontends/nats/auth/account-limits.ts'
import { DEFAULT_JETSTREAM } from '../../../../../src/frontends/nats/jetstream/jetstream-settings.ts'
import { ServerResources } from '../../../../../src/frontends/nats/jetstream/server-resources.ts'
import {
  StorageBudget,
  together,
} from '../../../../../src/frontends/nats/jetstream/storage-budget.ts'

const NOTHING = { memory: 0, storage: 0, reserved_memory: 0, reserved_storage: 0 }

/** 30 bytes of overhead, 3 of the subject. */
const message = { subject: 's.a', headers: null, payload: Buffer.alloc(7) }

describe('what a server has for streams', () => {
  it('is as much as they like where nothing is said of it', () => {
    const resources = new ServerResources(DEFAULT_JETSTREAM)
    resources.add(() => ({ ...NOTHING, storage: 1e15, reserved_storage: 1e15 }))
    assert.equal(resources.memory, null)
    assert.equal(resources.storage, null)
    assert.equal(resources.refusalOf(false, 1e15), null)
  })

  it('is above its limit with the message before the one that is refused with 10023', () => {
    const held = { ...NOTHING, storage: 60 }
    const resources = new ServerResources({ ...DEFAULT_JETSTREAM, maxStorage: 140 })
    resources.add(() => held)
    resources.add(() => ({ ...NOTHING, storage: 40 }))
    assert.equal(resources.storage?.take(message), null)
    assert.equal(resources.storage?.take(message), null)
    held.storage = 101
    assert.equal(resources.storage?.take(message)?.err_code, 10023)
    held.storage = 100
    assert.equal(resources.storage?.take(message), null)
  })

  it('counts streams in memory apart', () => {
    const resources = new ServerResources({ ...DEFAULT_JETSTREAM, maxMemory: 10, maxStorage: 10 })
    resources.add(() => ({ ...NOTHING, memory: 11, reserved_memory: 10 }))
    assert.equal(resources.memory?.take(message)?.err_code, 10023)
    assert.equal(resources.storage?.take(message), null)
    assert.equal(resources.refusalOf(true, 1)?.err_code, 10028)
    assert.equal(resources.refusalOf(true, 0), null)
    assert.equal(resources.refusalOf(false, 10), null)
  })

  it('is asked for by one at a time, also when what another one took is kept only later', async () => {
    const held = { ...NOTHING }
    const resources = new ServerResources({ ...DEFAULT_JETSTREAM, maxStorage: 100 })
    resources.add(() => held)
    const take = () =>
      resources.inTurn(async () => {
        const refusal = resources.refusalOf(false, 60)
        await new Promise<void>((resolve) => setImmediate(resolve))
        if (refusal === null) held.reserved_storage += 60
        return refusal?.err_code ?? 0
      })
    assert.deepEqual(await Promise.all([take(), take()]), [0, 10047])
  })

  it('is promised to accounts once', () => {
    const resources = new ServerResources({ ...DEFAULT_JETSTREAM, maxMemory: 10, maxStorage: 20 })
    const of = (memory: number, storage: number) => ({
      ...UNLIMITED,
      ...{ max_memory: memory, max_storage: storage },
    })
    assert.equal(resources.promiseRefusal(of(10, 20), []), null)
    assert.equal(resources.promiseRefusal(of(-1, -1), [of(10, 20), of(-1, -1)]), null)
    assert.equal(resources.promiseRefusal(of(1, -1), [of(10, -1)])?.err_code, 10028)
    assert.equal(resources.promiseRefusal(of(-1, 11), [of(-1, 5), of(1, 5)])?.err_code, 10047)
  })
})

describe('budgets of a server and of an account', () => {
  it('refuse what either has no room for, and are none where neither has a limit', () => {
    const roomy = new StorageBudget(100, () => 0)
    const full = new StorageBudget(0, () => 0)
    assert.equal(together([null, null]), null)
    assert.equal(together([null, roomy]), roomy)
    assert.equal(together([roomy, full])?.take(message)?.err_code, 10002)
    assert.equal(together([roomy, new StorageBudget(100, () => 0)])?.take(message), null)
  })
})
