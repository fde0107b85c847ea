/**
 * Prints the functions that used most time in a CPU profile of V8.
 * Run: node test/bench/profile-top.ts FILE.cpuprofile [COUNT]
 */
import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'

interface ProfileNode {
  readonly id: number
  readonly callFrame: {
    readonly functionName: string
    readonly url: string
    readonly lineNumber: number
  }
}

interface Profile {
  readonly nodes: readonly ProfileNode[]
  readonly samples: readonly number[]
  /** Microseconds between samples. */
  readonly timeDeltas: readonly number[]
}

function placeOf({ functionName, url, lineNumber }: ProfileNode['callFrame']): string {
  const name = functionName === '' ? '(anonymous)' : functionName
  if (url === '') return name
  const file = url.startsWith('file:') ? relative(process.cwd(), fileURLToPath(url)) : url
  return `${name} ${file}:${lineNumber + 1}`
}

function selfTimes({ nodes, samples, timeDeltas }: Profile): Map<string, number> {
  const places = new Map(nodes.map(({ id, callFrame }) => [id, placeOf(callFrame)]))
  const times = new Map<string, number>()
  for (const [index, id] of samples.entries()) {
    const place = places.get(id) ?? '(unknown)'
    times.set(place, (times.get(place) ?? 0) + (timeDeltas[index] ?? 0))
  }
  return times
}

const [file, count = '25'] = process.argv.slice(2)
if (file === undefined) {
  console.error('which profile? node test/bench/profile-top.ts FILE.cpuprofile [COUNT]')
  process.exit(2)
}
const times = selfTimes(JSON.parse(readFileSync(file, 'utf8')) as Profile)
const busy = [...times].filter(([place]) => place !== '(idle)')
const total = busy.reduce((sum, [, time]) => sum + time, 0)
console.log(`${(total / 1e6).toFixed(2)} s busy`)
for (const [place, time] of busy.sort((a, b) => b[1] - a[1]).slice(0, Number(count))) {
  console.log(`${((time / total) * 100).toFixed(1).padStart(5)} %  ${place}`)
}
