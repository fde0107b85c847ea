/**
 * Preloaded into Node, it runs the tests of nats.js, which are written for Deno: finds modules by the
 * names that Deno's import maps give them, takes the types out of them, and has `Deno.test`.
 * NATS_JS_CHECKOUT is the checkout, NATS_JS_PACKAGES a folder with the npm packages that it needs.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { join, sep } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { transformSync } from 'esbuild'

const { NATS_JS_CHECKOUT: checkout = '', NATS_JS_PACKAGES: packages = '' } = process.env

const TEST_LIMIT_MS = 30_000
/** Tests that talk to a server of others in the internet. */
const FOREIGN_SERVER = 'demo.nats.io'

const STAND_INS: Readonly<Record<string, string>> = {
  '@std/assert': join(import.meta.dirname, 'deno-assert.ts'),
  '@std/bytes': join(import.meta.dirname, 'deno-assert.ts'),
  '@nats-io/transport-deno': join(checkout, 'transport-node', 'src', 'connect.ts'),
  '@nats-io/transport-node': join(checkout, 'transport-node', 'src', 'connect.ts'),
}

interface DenoPackage {
  readonly name: string
  readonly exports: Readonly<Record<string, string>>
}

/** Files of the packages in the checkout, by the names that they are imported by. */
function filesByName(): Map<string, string> {
  const files = new Map<string, string>()
  for (const folder of readdirSync(checkout)) {
    const description = join(checkout, folder, 'deno.json')
    if (!existsSync(description)) continue
    const { name, exports } = JSON.parse(readFileSync(description, 'utf8')) as DenoPackage
    for (const [path, file] of Object.entries(exports)) {
      files.set(join(name, path), join(checkout, folder, file))
    }
  }
  for (const [name, file] of Object.entries(STAND_INS)) files.set(name, file)
  return files
}

const known = filesByName()
const packagesUrl = pathToFileURL(join(packages, 'index.js')).href

/** `npm:name@1.2.3/path` and `jsr:…` by the name alone. */
function plainName(specifier: string): string {
  return specifier.replace(/^(?:jsr|npm):\/?/, '').replace(/(?<=.)@[\d^~*][^/]*/, '')
}

function fileOf(specifier: string, parent: string | undefined): string | null {
  if (specifier === 'nst' && parent !== undefined) {
    // Each package has its own beside its tests.
    const beside = fileURLToPath(new URL('nst.ts', parent))
    return existsSync(beside) ? beside : (known.get('@nats-io/nst') ?? null)
  }
  if (specifier.startsWith('.') && parent !== undefined) {
    const file = fileURLToPath(new URL(specifier, parent))
    return !existsSync(file) && existsSync(`${file}.ts`) ? `${file}.ts` : null
  }
  return known.get(plainName(specifier)) ?? null
}

const isOfCheckout = (url: string | undefined): boolean =>
  url?.startsWith('file:') === true && fileURLToPath(url).startsWith(checkout + sep)

registerHooks({
  resolve(specifier, context, next) {
    if (!isOfCheckout(context.parentURL)) return next(specifier, context)
    const file = fileOf(specifier, context.parentURL)
    if (file !== null) return { url: pathToFileURL(file).href, shortCircuit: true }
    if (specifier.startsWith('.') || specifier.startsWith('node:')) return next(specifier, context)
    return next(plainName(specifier), { ...context, parentURL: packagesUrl })
  },
  load(url, context, next) {
    if (url.endsWith('.json') && isOfCheckout(url)) {
      return next(url, { ...context, importAttributes: { type: 'json' } })
    }
    if (!url.endsWith('.ts') || !isOfCheckout(url)) return next(url, context)
    const text = readFileSync(fileURLToPath(url), 'utf8')
    const { code } = transformSync(text, { loader: 'ts', format: 'esm', target: 'node24' })
    return { format: 'module', source: code, shortCircuit: true }
  },
})

type DenoBody = (context: DenoContext) => unknown
interface DenoTest {
  readonly name: string
  readonly ignore?: boolean
  readonly fn?: DenoBody
}
interface DenoContext {
  readonly name: string
  readonly step: (step: string | DenoTest, body?: DenoBody) => Promise<unknown>
}

function contextOf(context: TestContext): DenoContext {
  return {
    name: context.name,
    step: (step, body) => {
      const { name, fn = body }: DenoTest = typeof step === 'string' ? { name: step } : step
      return context.test(name, async (inner) => {
        await fn?.(contextOf(inner))
      })
    },
  }
}

/** `Deno.test` with a name or with options, the body inside or behind. */
function denoTest(first: string | DenoTest, second?: DenoBody | object, third?: DenoBody): void {
  const given = typeof first === 'string' ? { name: first } : first
  const behind = typeof second === 'function' ? (second as DenoBody) : third
  const { name, ignore = false, fn: body = behind } = given as DenoTest
  const isForeign = String(body).includes(FOREIGN_SERVER)
  const skip = isForeign ? 'a server in the internet' : ignore
  void test(name, { timeout: TEST_LIMIT_MS, skip }, async (context) => {
    await body?.(contextOf(context))
  })
}

const ignored = (first: string | DenoTest): void =>
  void test(typeof first === 'string' ? first : first.name, { skip: true })

Object.assign(globalThis, {
  Deno: { test: Object.assign(denoTest, { ignore: ignored }), errors: {} },
})
