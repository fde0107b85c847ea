import { accessSync, constants, statfsSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, resolve } from 'node:path'
import { requireUnlocked } from '../adapters/node-file-lock.ts'
import { NodeFileSystem } from '../adapters/node-file-system.ts'
import { ConfigError, StorageError } from '../base/errors.ts'
import { loadOptionalModule } from '../base/optional-module.ts'
import { LOCK_FILE } from '../storage/data-directory.ts'
import { describeAddressInUse } from './address-owner.ts'
import { diagnoseExchange } from './data-directory/exchange-diagnosis.ts'
import type { Diagnosis } from './diagnosis-entry.ts'
import { formatAddress, type ListenAddress } from './listen-address.ts'

/** Packages with native code; without them the same work is slower. */
const NATIVE_PACKAGES = ['@node-rs/crc32', 'snappy', 'lz4-napi']

const LOW_DISK_BYTES = 1024 * 1024 * 1024

/** Looks at this machine as a broker would at its start; changes nothing. */
export async function diagnose(dataDir: string, kafka: ListenAddress): Promise<Diagnosis[]> {
  const directory = diagnoseDirectory(dataDir)
  return [
    { check: 'node', state: 'ok', detail: process.version },
    ...NATIVE_PACKAGES.map(diagnosePackage),
    directory,
    diagnoseSpace(dataDir),
    await diagnoseAddress(kafka),
    ...(directory.state === 'ok'
      ? [diagnoseLock(dataDir), ...(await diagnoseContent(dataDir))]
      : []),
  ]
}

function diagnosePackage(name: string): Diagnosis {
  const check = `package ${name}`
  if (loadOptionalModule(name) !== undefined) return { check, state: 'ok', detail: 'native' }
  return { check, state: 'warning', detail: 'no native code for this platform: slower' }
}

/** The directory itself, or the nearest one above it that exists. */
function nearestDirectory(path: string): string {
  let directory = resolve(path)
  while (statSync(directory, { throwIfNoEntry: false }) === undefined)
    directory = dirname(directory)
  return directory
}

function diagnoseDirectory(dataDir: string): Diagnosis {
  const check = 'data directory'
  const nearest = nearestDirectory(dataDir)
  const isThere = nearest === resolve(dataDir)
  try {
    if (!statSync(nearest).isDirectory()) {
      return { check, state: 'problem', detail: `${nearest} is no directory` }
    }
    accessSync(nearest, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch {
    return { check, state: 'problem', detail: `${nearest} can't be written: change its owner` }
  }
  return { check, state: 'ok', detail: isThere ? dataDir : `${dataDir} will be made` }
}

function diagnoseLock(dataDir: string): Diagnosis {
  const check = 'data directory lock'
  try {
    requireUnlocked(`${dataDir}/${LOCK_FILE}`)
    return { check, state: 'ok', detail: 'free' }
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof StorageError)) throw error
    return { check, state: 'warning', detail: error.message }
  }
}

/** What there is in the directory, for a broker of either kind. */
async function diagnoseContent(dataDir: string): Promise<Diagnosis[]> {
  try {
    return await diagnoseExchange(new NodeFileSystem(), dataDir)
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof StorageError)) throw error
    return [{ check: 'content', state: 'problem', detail: error.message }]
  }
}

function diagnoseSpace(dataDir: string): Diagnosis {
  const { bavail, bsize } = statfsSync(nearestDirectory(dataDir))
  const freeBytes = bavail * bsize
  const detail = `${(freeBytes / 1e9).toFixed(1)} GB free`
  return { check: 'disk', state: freeBytes < LOW_DISK_BYTES ? 'warning' : 'ok', detail }
}

function diagnoseAddress({ host, port }: ListenAddress): Promise<Diagnosis> {
  const check = `address ${formatAddress({ host, port })}`
  return new Promise((done) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => {
      const detail =
        error.code === 'EADDRINUSE'
          ? describeAddressInUse(host, port)
          : `can't be used (${error.code})`
      done({ check, state: 'warning', detail })
    })
    server.listen({ host, port }, () => {
      server.close(() => done({ check, state: 'ok', detail: 'free' }))
    })
  })
}
