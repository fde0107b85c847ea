import { randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type BackupResult, makeBackup } from '../../../../src/app/backup/make-backup.ts'
import { restoreBackup } from '../../../../src/app/backup/restore-backup.ts'
import { Broker } from '../../../../src/index.ts'
import { withTree } from '../../scripts/temporary-tree.ts'

const CONFIG = { 'offsets.topic.num.partitions': '1' }
/** The smallest that Kafka allows; three of the records below fill one. */
const SEGMENT_BYTES = 1_048_576
const RECORD_BYTES = 300_000

export interface Fixture {
  readonly root: string
  readonly dataDir: string
  readonly backupDir: string
  readonly broker: Broker
  /** Appends records to topic `t`, whose segments take three of them. */
  produce(values: readonly string[]): Promise<void>
  /** Files of partition 0 of topic `t` that end so. */
  filesOf(suffix: string): string[]
  /** Backs up the broker; `onProgress` runs whenever something was copied. */
  backup(onProgress?: (byteCount: number) => void): Promise<BackupResult>
}

/** A running broker with topic `t`, and a place for its backup. */
export async function withBroker(use: (fixture: Fixture) => Promise<void>): Promise<void> {
  await withTree({}, async (root) => {
    const dataDir = join(root, 'data')
    const backupDir = join(root, 'backup')
    const broker = await Broker.start({ dataDir, config: CONFIG })
    try {
      await broker.createTopic('t', { configs: { 'segment.bytes': String(SEGMENT_BYTES) } })
      await use({
        root,
        dataDir,
        backupDir,
        broker,
        produce: async (values) => {
          // What does not compress or repeat: a wrong copy can't look right.
          for (const key of values) {
            await broker.produce('t', { key, value: randomBytes(RECORD_BYTES) })
          }
        },
        filesOf: (suffix) => {
          const names = readdirSync(join(dataDir, 't-0')).filter((name) => name.endsWith(suffix))
          return names.sort().map((name) => join(dataDir, 't-0', name))
        },
        backup: (onProgress = () => {}) =>
          makeBackup({ dataDir, directory: backupDir, started: () => {}, progress: onProgress }),
      })
    } finally {
      await broker.stop()
    }
  })
}

/** Restores a backup to a new directory, starts a broker on it, and reads the keys of topic `t`. */
export async function restoredKeys({ root, backupDir }: Fixture): Promise<string[]> {
  const dataDir = join(root, `restored-${randomBytes(4).toString('hex')}`)
  await restoreBackup(dataDir, { directory: backupDir, started: () => {}, progress: () => {} })
  const broker = await Broker.start({ dataDir, config: CONFIG })
  try {
    return await keysOf(broker)
  } finally {
    await broker.stop()
  }
}

async function keysOf(broker: Broker): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of broker.consume('t', { fromBeginning: true, timeoutMs: 300 })) {
    keys.push(key?.toString() ?? '')
  }
  return keys
}
