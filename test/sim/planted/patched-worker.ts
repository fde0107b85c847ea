/** A thread whose broker has a bug, which it looks for seed by seed. */
import { registerHooks } from 'node:module'
import { parentPort, workerData } from 'node:worker_threads'
import type { PlantedBug } from './planted-bugs.ts'

export interface PatchedRun {
  readonly bug: PlantedBug
  readonly seedCount: number
}

export interface PatchedOutcome {
  /** The seed that found it; null: none did. */
  readonly seed: number | null
  readonly problem: string | null
}

const { bug, seedCount } = workerData as PatchedRun
let isPatched = false

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context)
    if (!url.endsWith(`/${bug.file}`)) return loaded
    const text = String(loaded.source)
    if (text.split(bug.find).length !== 2)
      throw new Error(`the bug "${bug.name}" fits nowhere in ${bug.file} any more`)
    isPatched = true
    return { ...loaded, source: text.replace(bug.find, () => bug.replace) }
  },
})

const { simulate } = await import('../simulation.ts')
if (!isPatched) throw new Error(`nothing loads ${bug.file}`)
parentPort?.postMessage(await findIt())

async function findIt(): Promise<PatchedOutcome> {
  for (let seed = 1; seed <= seedCount; seed++) {
    try {
      await simulate({ seed, focus: bug.focus ?? {} })
    } catch (error) {
      return { seed, problem: (error as Error).message }
    }
  }
  return { seed: null, problem: null }
}
