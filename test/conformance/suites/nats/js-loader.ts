/**
 * Lets Node run the tests of a checkout of nats.js, which are written for Deno: `node --import` this file.
 * Names of packages lead to the sources of the checkout, or to what stands in for Deno's own.
 *   SUITE_CHECKOUT  the checkout
 *   SUITE_PACKAGES  a folder whose node_modules has what the tests use besides
 */
import { existsSync, readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { transformSync } from 'esbuild'
import './deno.ts'

const { SUITE_CHECKOUT: checkout = '', SUITE_PACKAGES: packages = '' } = process.env
const PACKAGES = ['core', 'jetstream', 'kv', 'obj', 'services', 'nst']

const checkoutUrl = pathToFileURL(`${checkout}/`).href
const sources = sourcesOfPackages()

interface Manifest {
  readonly name: string
  readonly exports: string | Readonly<Record<string, string>>
}

/** What each name of a package stands for. The transport is the one for Node. */
function sourcesOfPackages(): ReadonlyMap<string, string> {
  const files = new Map([
    ['@nats-io/transport-deno', join(checkout, 'transport-node', 'src', 'connect.ts')],
    ['@std/assert', join(import.meta.dirname, 'assertions.ts')],
    ['@std/bytes', join(import.meta.dirname, 'bytes.ts')],
  ])
  for (const folder of PACKAGES) {
    const text = readFileSync(join(checkout, folder, 'deno.json'), 'utf8')
    const { name, exports } = JSON.parse(text) as Manifest
    const entries = typeof exports === 'string' ? { '.': exports } : exports
    for (const [entry, file] of Object.entries(entries)) {
      files.set(join(name, entry), join(checkout, folder, file))
    }
  }
  return new Map([...files].map(([name, file]) => [name, pathToFileURL(file).href]))
}

/** The file that a checkout's own code means, when its name is not as Node wants it. */
function sourceOf(name: string, parent: string): string | undefined {
  // Each folder of tests has a module of this name, which chooses the transport.
  const relative =
    name === 'nst' ? './nst.ts' : /^\.{1,2}\/.*\/?[^./]+$/.test(name) ? `${name}.ts` : ''
  if (relative === '') return sources.get(name)
  const url = new URL(relative, parent)
  return existsSync(url) ? url.href : undefined
}

registerHooks({
  resolve(specifier, context, next) {
    const { parentURL = '' } = context
    if (!parentURL.startsWith(checkoutUrl)) return next(specifier, context)
    const url = sourceOf(specifier, parentURL)
    if (url !== undefined) return { url, shortCircuit: true }
    if (/^(\.|\/|file:|node:)/.test(specifier)) return next(specifier, context)
    for (const folder of [packages, import.meta.dirname]) {
      try {
        const from = pathToFileURL(join(folder, 'tests.mjs')).href
        return next(specifier, { ...context, parentURL: from })
      } catch (error) {
        if (folder !== packages) throw error
      }
    }
    return next(specifier, context)
  },
  load(url, context, next) {
    if (!url.startsWith(checkoutUrl) || !url.endsWith('.ts')) return next(url, context)
    const text = readFileSync(fileURLToPath(url), 'utf8')
    const options = { loader: 'ts', format: 'esm', target: 'node24', tsconfigRaw: '{}' } as const
    return { format: 'module', shortCircuit: true, source: transformSync(text, options).code }
  },
})
