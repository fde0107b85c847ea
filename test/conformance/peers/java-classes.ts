import { createHash } from 'node:crypto'
import { cp, glob, readFile } from 'node:fs/promises'
import { basename, delimiter, join } from 'node:path'
import { mustRun } from '../support/command.ts'
import { cached } from './cache.ts'

export interface JavaClasses {
  /** What the directory of the classes is called, before the hash of their sources. */
  readonly name: string
  /** Directory of the .java files. */
  readonly sources: string
  /** Class path of what they use. */
  readonly jars: string
  /** Of the jars: another one compiles anew. */
  readonly version: string
  /** Program to compile with. */
  readonly javac: string
}

/** Compiles a directory of sources, once. Returns a class path with the classes and their jars. */
export async function compileClasses(options: JavaClasses): Promise<string> {
  const { name, sources, jars, version, javac } = options
  const files = (await Array.fromAsync(glob(join(sources, '*.java')))).sort()
  const hash = createHash('sha256').update(version)
  for (const file of files) hash.update(await readFile(file))
  const classes = await cached(`${name}-${hash.digest('hex').slice(0, 16)}`, async (partial) => {
    for (const file of files) await cp(file, join(partial, basename(file)))
    const flags = ['-nowarn', '-proc:none', '-encoding', 'UTF-8', '-d', partial, '-cp', jars]
    await mustRun(javac, [...flags, ...files], { limitMs: 300_000 })
  })
  return [classes, jars].join(delimiter)
}
