import { MemoryFileSystem } from '../../../../src/adapters/memory-file-system.ts'
import { BrokerCore } from '../../../../src/app/broker-core.ts'
import { BrokerConfig } from '../../../../src/broker/configs/broker-config.ts'
import { buildBatch } from '../../../../src/records/batch-builder.ts'
import {
  ControlRecordType,
  encodeControlKey,
  encodeControlValue,
  kraftVersionRecord,
  leaderChangeMessage,
  votersRecord,
} from '../../../../src/records/internal/control-records.ts'
import { encodeMetadataRecord } from '../../../../src/records/internal/metadata-record.ts'
import { featureLevelRecord } from '../../../../src/records/internal/topic-metadata-records.ts'
import { UUID } from '../../cluster/standalone/metadata-records.ts'
import { ManualScheduler } from '../../support/manual-scheduler.ts'
import { CountingRandom, FakeClock, SILENT } from '../../support/ports.ts'
import { RecordingMeter } from '../../support/recording-meter.ts'

export const DATA_DIR = '/data'
export const METADATA_DIR = `${DATA_DIR}/__cluster_metadata-0`

export interface KafkaDirectoryOptions {
  readonly nodeId?: number
  /** Node and directory ids; without it the quorum is static. */
  readonly voters?: readonly (readonly [nodeId: number, directoryId: string])[]
  /** Node ids, as the leader's first record has them. */
  readonly leaderVoters?: readonly number[]
  readonly records?: readonly Buffer[]
  readonly metaProperties?: string
}

/** Values of the first records of a cluster of Kafka 4.4. */
export const featureOf = (level: number): Buffer =>
  encodeMetadataRecord(featureLevelRecord, 0, { name: 'metadata.version', featureLevel: level })

/** A data directory as a single node of Apache Kafka leaves it when it is killed. */
export function kafkaDirectory(options: KafkaDirectoryOptions = {}): MemoryFileSystem {
  const { nodeId = 1, records = [] } = options
  const fs = new MemoryFileSystem()
  fs.makeDirectory(METADATA_DIR)
  const properties =
    options.metaProperties ??
    `version=1\ncluster.id=c3Bvb2wtY2x1c3Rlci1pZA\nnode.id=${nodeId}\ndirectory.id=${UUID.directory}\n`
  fs.writeFileAtomic(`${DATA_DIR}/meta.properties`, properties)
  const control = buildBatch(controlRecords(options), {
    partitionLeaderEpoch: 3,
    isControl: true,
  })
  const values = [featureOf(33), ...records].map((value) => ({ timestamp: 1000, value }))
  const baseOffset = options.voters === undefined ? 1 : 3
  const data = buildBatch(values, { partitionLeaderEpoch: 3, baseOffset })
  writeSegment(fs, 0, Buffer.concat([control, data]))
  return fs
}

export function writeSegment(fs: MemoryFileSystem, base: number, content: Buffer): void {
  fs.writeFileAtomic(`${METADATA_DIR}/${String(base).padStart(20, '0')}.log`, content)
}

/** The directory of a partition with one segment. */
export function addPartition(
  fs: MemoryFileSystem,
  name: string,
  options: { readonly topicId?: string | null; readonly content?: Buffer } = {},
): void {
  const { topicId = UUID.topic, content = buildBatch([{ timestamp: 1, value: null }]) } = options
  fs.makeDirectory(`${DATA_DIR}/${name}`)
  fs.writeFileAtomic(`${DATA_DIR}/${name}/00000000000000000000.log`, content)
  if (topicId === null) return
  const text = `version: 0\ntopic_id: ${topicId}`
  fs.writeFileAtomic(`${DATA_DIR}/${name}/partition.metadata`, text)
}

function controlRecords({ nodeId = 1, voters, leaderVoters = [nodeId] }: KafkaDirectoryOptions) {
  const control = (type: number, value: Buffer) => ({
    timestamp: 1000,
    key: encodeControlKey(type),
    value,
  })
  const ids = leaderVoters.map((voterId) => ({ voterId }))
  const change = { version: 0, leaderId: nodeId, voters: ids, grantingVoters: ids }
  const leader = control(
    ControlRecordType.LEADER_CHANGE,
    encodeControlValue(leaderChangeMessage, change),
  )
  if (voters === undefined) return [leader]
  const version = encodeControlValue(kraftVersionRecord, { version: 0, kRaftVersion: 1 })
  const named = encodeControlValue(votersRecord, {
    version: 0,
    voters: voters.map(([voterId, voterDirectoryId]) => ({
      voterId,
      voterDirectoryId,
      endpoints: [{ name: 'CONTROLLER', host: '127.0.0.1', port: 9093 }],
      kRaftVersionFeature: { minSupportedVersion: 0, maxSupportedVersion: 1 },
    })),
  })
  return [
    leader,
    control(ControlRecordType.KRAFT_VERSION, version),
    control(ControlRecordType.KRAFT_VOTERS, named),
  ]
}

/** Everything below the data directory, to see that nothing changed. */
export function contentOf(fs: MemoryFileSystem, path: string = DATA_DIR): Map<string, string> {
  const content = new Map<string, string>()
  for (const name of fs.list(path)) {
    const child = `${path}/${name}`
    if (fs.stat(child)?.isDirectory === true) {
      content.set(child, 'directory')
      for (const entry of contentOf(fs, child)) content.set(...entry)
    } else {
      content.set(child, fs.readFile(child).toString('hex'))
    }
  }
  return content
}

/** Starts a whole broker without front ends on the disk. */
export async function openBroker(fs: MemoryFileSystem, nodeId = 1): Promise<BrokerCore> {
  const clock = new FakeClock()
  const scheduler = new ManualScheduler(clock)
  const opening = BrokerCore.open({
    fs,
    clock,
    scheduler,
    random: new CountingRandom(),
    logger: SILENT,
    meter: new RecordingMeter(),
    config: new BrokerConfig(new Map()),
    dataDir: DATA_DIR,
    nodeId,
  })
  return settled(opening, scheduler)
}

export async function settled<T>(promise: Promise<T>, scheduler: ManualScheduler): Promise<T> {
  let isSettled = false
  const mark = (): void => {
    isSettled = true
  }
  promise.then(mark, mark)
  while (!isSettled) {
    scheduler.finishTurn()
    await new Promise((resolve) => setImmediate(resolve))
  }
  return promise
}
