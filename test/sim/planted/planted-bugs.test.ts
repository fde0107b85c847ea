import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Worker } from 'node:worker_threads'
import type { PatchedOutcome, PatchedRun } from './patched-worker.ts'
import { PLANTED_BUGS } from './planted-bugs.ts'

/** A bug that none of so many seeds finds is not looked for well enough. */
const SEED_COUNT = 500

function search(run: PatchedRun): Promise<PatchedOutcome> {
  const worker = new Worker(new URL('patched-worker.ts', import.meta.url), { workerData: run })
  return new Promise<PatchedOutcome>((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  }).finally(() => worker.terminate())
}

/** Half a minute on a machine that does nothing else. */
const TIMEOUT_MS = 600_000
const OPTIONS = { concurrency: 2, timeout: TIMEOUT_MS }

describe('the simulation finds a broker that', OPTIONS, () => {
  for (const bug of PLANTED_BUGS) {
    it(bug.name, { timeout: TIMEOUT_MS }, async () => {
      const { seed } = await search({ bug, seedCount: SEED_COUNT })
      assert.notEqual(seed, null, `none of ${SEED_COUNT} seeds finds it`)
    })
  }

  it('does nothing, if there is no bug', async () => {
    const bug = {
      name: 'none',
      file: 'src/storage/write/log-syncer.ts',
      find: 'this.#done(error, endOffset)',
      replace: 'this.#done(error, endOffset)',
    }
    const { problem } = await search({ bug, seedCount: 10 })
    assert.equal(problem, null)
  })
})
