import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { mustRun } from '../support/command.ts'
import { needProgram } from './cache.ts'

export interface Artifact {
  readonly group: string
  readonly name: string
  readonly version: string
  /** Test jars are published beside the artifact under this classifier; taken without dependencies. */
  readonly classifier?: 'test'
}

const INSTALL_LIMIT_MS = 900_000

function dependency({ group, name, version, classifier }: Artifact): string {
  const test =
    classifier === undefined
      ? ''
      : `<classifier>${classifier}</classifier><exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>`
  return `<dependency><groupId>${group}</groupId><artifactId>${name}</artifactId><version>${version}</version>${test}</dependency>`
}

/**
 * Copies artifacts with all they depend on at run time into `target`. Maven works the tree out from a
 * project that exists for this only, and takes packages from wherever it is set up to.
 */
export async function copyJars(artifacts: readonly Artifact[], target: string): Promise<void> {
  await needProgram('java')
  await needProgram('mvn')
  const pom = join(target, 'pom.xml')
  await writeFile(
    pom,
    `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>spool.conformance</groupId><artifactId>jars</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>
${artifacts.map(dependency).join('\n')}
</dependencies></project>
`,
  )
  const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime']
  const args = [
    '-B',
    '-q',
    '-Dstyle.color=never',
    '-f',
    pom,
    ...goal,
    `-DoutputDirectory=${target}`,
  ]
  await mustRun('mvn', args, { limitMs: INSTALL_LIMIT_MS })
  await rm(pom)
}
