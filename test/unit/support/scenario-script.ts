import assert from 'node:assert/strict'
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'

/** Words of a command: plain ones in order, and those of the form `name=value`. */
export interface Command {
  readonly verb: string
  readonly plain: readonly string[]
  readonly named: ReadonlyMap<string, string>
}

/** Runs one command and returns the lines that show what came of it. */
export type CommandRunner = (command: Command) => Promise<readonly string[]>

/**
 * Plays a script. Lines that start with `>` are commands; what follows each, indented by two, is what
 * came of it and is written anew. All other lines stay.
 */
export async function playScript(script: string, run: CommandRunner): Promise<string> {
  const played: string[] = []
  for (const line of script.split('\n')) {
    const isOutput = line.startsWith('  ')
    if (isOutput) continue
    played.push(line)
    if (!line.startsWith('> ')) continue
    for (const shown of await run(parseCommand(line.slice(2)))) played.push(`  ${shown}`)
  }
  return played.join('\n')
}

/**
 * One test for each script of a folder below test/scenarios: it goes as it is written. After a change
 * that is meant, run the test file with `--rewrite` and review the difference.
 */
export function describeScenarios(folder: string, newRunner: () => CommandRunner): void {
  const path = fileURLToPath(new URL(`../../scenarios/${folder}/`, import.meta.url))
  const isRewrite = process.argv.includes('--rewrite')

  describe(`scenarios of ${folder}`, () => {
    const files = globSync(`${path}*.txt`).sort()

    it('are there', () => {
      assert.ok(files.length >= 6)
    })

    for (const file of files) {
      it(`${basename(file, '.txt')} goes as written`, async () => {
        const script = readFileSync(file, 'utf8')
        const played = await playScript(script, newRunner())
        if (isRewrite) writeFileSync(file, played)
        else assert.equal(played, script)
      })
    }
  })
}

function parseCommand(text: string): Command {
  const [verb = '', ...words] = text.trim().split(/\s+/)
  const named = new Map<string, string>()
  const plain: string[] = []
  for (const word of words) {
    const at = word.indexOf('=')
    if (at === -1) plain.push(word)
    else named.set(word.slice(0, at), word.slice(at + 1))
  }
  return { verb, plain, named }
}

const UNIT_MS: Readonly<Record<string, number>> = {
  '': 1,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/** @param text such as `10s`, `5m` or `-1` (in ms) */
export function milliseconds(text: string): number {
  const match = /^(-?\d+)([a-z]*)$/.exec(text)
  const unit = UNIT_MS[match?.[2] ?? 'none']
  if (match === null || unit === undefined) throw new Error(`${text} is no duration such as 10s`)
  return Number(match[1]) * unit
}
