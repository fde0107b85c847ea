// What the programs in this folder share. Plain JavaScript that old Node versions can run: it has to
// get as far as saying what to do.
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

/** Runs the program again on the other Node; signals and the exit code pass through. */
function runOn(node) {
  // Guards against a loop when that Node is older than its package says.
  const env = { ...process.env, SPOOL_NODE_SWITCHED: '1' }
  // Where this process can become the other one, it keeps its id.
  process.execve?.(node, [node, ...process.argv.slice(1)], env)
  const child = spawn(node, process.argv.slice(1), { stdio: 'inherit', env })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2']) {
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

/**
 * Runs a function of a module, on a Node that is new enough.
 * @param name the module in lib/ and in src/cli/
 */
export async function run(name, functionName) {
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
  const built = join(root, 'lib', `${name}.js`)
  const module = await import(existsSync(built) ? `../lib/${name}.js` : `../src/cli/${name}.ts`)
  await module[functionName](process.argv)
}
