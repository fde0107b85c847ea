#!/usr/bin/env node
// Entry of the command line. Plain JavaScript that old Node versions can run: it has to get as far
// as saying what to do.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import module, { createRequire } from 'node:module'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const NEEDED_MAJOR = 24
const NEEDED_MINOR = 12

function complain(text) {
  process.stderr.write(`spool: ${text}\n`)
}

function isNewEnough(version) {
  const [major, minor] = version.split('.').map(Number)
  return major > NEEDED_MAJOR || (major === NEEDED_MAJOR && minor >= NEEDED_MINOR)
}

/** The Node 24 that npm installed as an optional dependency, or undefined. */
function installedNode() {
  try {
    const require = createRequire(import.meta.url)
    const home = dirname(require.resolve(`node-${process.platform}-${process.arch}/package.json`))
    const path = join(home, 'bin', 'node')
    return existsSync(path) ? path : undefined
  } catch {
    // No package for this platform, or npm was told to leave optional dependencies out.
    return undefined
  }
}

/** Runs this file again on the other Node; signals and the exit code pass through. */
function runOn(node) {
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: 'inherit',
    // Guards against a loop when that Node is older than its package says.
    env: { ...process.env, SPOOL_NODE_SWITCHED: '1' },
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => child.kill(signal))
  }
  child.on('error', (error) => {
    complain(`cannot run ${node}: ${error.message}`)
    process.exit(1)
  })
  child.on('exit', (code, signal) => process.exit(code ?? (signal === null ? 1 : 128)))
}

/** The compiled code of the last start makes this one quicker; without a cache all still works. */
function enableCompileCache() {
  const base = process.env.XDG_CACHE_HOME || join(homedir(), '.cache')
  module.enableCompileCache?.(process.env.NODE_COMPILE_CACHE || join(base, 'spool', 'compiled'))
}

async function main() {
  if (!isNewEnough(process.versions.node)) {
    const node = process.env.SPOOL_NODE_SWITCHED === '1' ? undefined : installedNode()
    if (node !== undefined) return runOn(node)
    complain(
      `Node ${process.versions.node} is too old: run "npm ci" without --omit=optional so that npm installs Node ${NEEDED_MAJOR}, or install Node ${NEEDED_MAJOR}.${NEEDED_MINOR} or newer.`,
    )
    process.exit(1)
  }
  enableCompileCache()
  const root = dirname(dirname(fileURLToPath(import.meta.url)))
  // A published package holds lib/; a checkout runs its sources as they are.
  const built = join(root, 'lib', 'main.js')
  const { runCommandLine } = await import(
    existsSync(built) ? '../lib/main.js' : '../src/cli/main.ts'
  )
  await runCommandLine(process.argv)
}

await main()
