/**
 * Fails on text that must not be in the repository. Run: node scripts/check-tidy.ts [root]
 * Looks at every file Git tracks, or at every file below a root that is no Git work tree.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, globSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Words are put together here, so that this file passes its own check. */
const UNFINISHED = new RegExp(
  `\\b(?:${['TO', 'FIX'].map((w) => w + (w === 'TO' ? 'DO' : 'ME')).join('|')}|X{3})\\b`,
)
const MACHINE_PATH = new RegExp(`(?<![\\w.~$}-])/(?:${['work', 'root', 'farm'].join('|')})/`)
const REGISTRY_HOSTS = [
  ['registry', 'npmjs', 'org'],
  ['registry', 'yarnpkg', 'com'],
  ['repo1', 'maven', 'org'],
  ['repo', 'maven', 'apache', 'org'],
  ['proxy', 'golang', 'org'],
  ['sum', 'golang', 'org'],
  ['pypi', 'org'],
  ['files', 'pythonhosted', 'org'],
  ['index', 'crates', 'io'],
].map((parts) => parts.join('.'))

const MAX_FILE_BYTES = 1024 * 1024
const MAX_MARKDOWN_COLUMNS = 400
/** Links in Markdown text: `[text](target)`. */
const LINK = /\]\(([^)\s]+)\)/g

interface Problem {
  readonly file: string
  readonly line: number
  readonly text: string
}

function trackedFiles(root: string): string[] {
  try {
    const listed = execFileSync('git', ['-C', root, 'ls-files', '-z'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const files = listed.split('\0').filter((file) => existsSync(join(root, file)))
    if (files.filter((file) => file !== '').length > 0) return files.filter((file) => file !== '')
  } catch {
    // Not a work tree: an unpacked archive, or the test of this check.
  }
  return globSync('**/*', { cwd: root, exclude: ['**/node_modules', '.git'] }).filter((file) =>
    statSync(join(root, file)).isFile(),
  )
}

function lineProblem(line: string): string | undefined {
  if (UNFINISHED.test(line)) return 'unfinished work is an issue, not a comment'
  if (MACHINE_PATH.test(line)) return 'a path of one machine'
  const host = REGISTRY_HOSTS.find((name) => line.includes(name))
  if (host !== undefined) return `names the package registry ${host}`
  return undefined
}

/** A link to a file of the repository must lead somewhere. */
function deadLinks(root: string, file: string, line: string): string[] {
  const dead: string[] = []
  for (const match of line.matchAll(LINK)) {
    const target = (match[1] ?? '').split('#')[0] ?? ''
    if (target === '' || /^[a-z]+:/i.test(target)) continue
    if (!existsSync(join(root, dirname(file), target))) dead.push(`dead link ${target}`)
  }
  return dead
}

function problemsOf(root: string, file: string): Problem[] {
  const path = join(root, file)
  const byteCount = statSync(path).size
  if (byteCount > MAX_FILE_BYTES) {
    return [{ file, line: 1, text: `${byteCount} bytes, at most ${MAX_FILE_BYTES}` }]
  }
  const content = readFileSync(path)
  // Golden files are bytes; what follows is about text.
  if (content.includes(0)) return []
  const problems: Problem[] = []
  const isMarkdown = file.endsWith('.md')
  for (const [index, line] of content.toString('utf8').split('\n').entries()) {
    const texts = [lineProblem(line), ...(isMarkdown ? deadLinks(root, file, line) : [])]
    if (isMarkdown && line.length > MAX_MARKDOWN_COLUMNS) texts.push('line too long')
    for (const text of texts) if (text !== undefined) problems.push({ file, line: index + 1, text })
  }
  return problems
}

const root = process.argv[2] ?? '.'
const files = trackedFiles(root)
const problems = files.flatMap((file) => problemsOf(root, file))
if (files.length === 0)
  problems.push({ file: root, line: 1, text: 'no file seen; a blind check must fail' })
for (const { file, line, text } of problems) console.error(`${file}:${line}: ${text}`)
console.log(`tidy: ${files.length} files, ${problems.length} problems`)
process.exitCode = problems.length === 0 ? 0 : 1
