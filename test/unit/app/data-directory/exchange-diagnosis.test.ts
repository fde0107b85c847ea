import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { MemoryFileSystem } from '../../../../src/adapters/memory-file-system.ts'
import { diagnoseExchange } from '../../../../src/app/data-directory/exchange-diagnosis.ts'
import {
  aclOf,
  brokerOf,
  scramOf,
  topicOf,
  UUID,
} from '../../cluster/standalone/metadata-records.ts'
import {
  addPartition,
  contentOf,
  DATA_DIR,
  featureOf,
  kafkaDirectory,
  METADATA_DIR,
  openBroker,
} from './kafka-directory.ts'

/** All rows as `check: state: detail`; looking changes nothing. */
async function rowsOf(fs: MemoryFileSystem): Promise<string> {
  const before = contentOf(fs)
  const rows = await diagnoseExchange(fs, DATA_DIR)
  assert.deepEqual(contentOf(fs), before)
  return rows.map(({ check, state, detail }) => `${check}: ${state}: ${detail}`).join('\n')
}

const voters = [[1, UUID.directory]] as const

function goodDirectory(...records: Buffer[]): MemoryFileSystem {
  const fs = kafkaDirectory({
    voters,
    records: [brokerOf({ fenced: false }), ...topicOf('orders'), ...records],
  })
  addPartition(fs, 'orders-0')
  return fs
}

describe('doctor on a data directory', () => {
  it('says what a start of either broker takes over', async () => {
    const text = await rowsOf(goodDirectory(aclOf(), scramOf('alice')))
    assert.match(
      text,
      /^owner: ok: cluster c3Bvb2w\S+, node 1; last run by Apache Kafka, runs, or did not stop/m,
    )
    assert.match(text, /^metadata: ok: metadata\.version 33, up to offset 8$/m)
    assert.match(text, /^topics: ok: 1 with 1 partitions; 0 configs$/m)
    assert.match(text, /^security: warning: 1 ACLs, 1 SCRAM credentials: kept for Kafka/m)
    assert.match(text, /^start of Spool: ok: takes everything over as node\.id=1$/m)
    assert.match(
      text,
      /^start of Kafka: ok: .*node\.id=1.*quorum\.voters or .*bootstrap\.servers$/m,
    )
  })

  it('knows what Spool left', async () => {
    const fs = goodDirectory()
    await openBroker(fs)
    fs.kill()
    await openBroker(fs)
    const text = await rowsOf(fs)
    assert.match(text, /^owner: .*last run by Spool, runs, or did not/m)
    assert.match(text, /^start of Spool: ok: goes on as node\.id=1$/m)
  })

  it('knows a clean stop of Kafka, also when a snapshot says nothing of it', async () => {
    const fs = kafkaDirectory({ voters, records: topicOf('orders') })
    addPartition(fs, 'orders-0')
    assert.match(await rowsOf(fs), /^owner: .*last run by Spool, runs, or did not/m)
    const marker = `${DATA_DIR}/.kafka_cleanshutdown`
    fs.writeFileAtomic(marker, '{"version":0,"brokerEpoch":591}')
    assert.match(await rowsOf(fs), /^owner: .*last run by Apache Kafka, stopped cleanly$/m)
    fs.writeFileAtomic(marker, '{"version":0,"brokerEpoch":-1}')
    assert.match(await rowsOf(fs), /^owner: .*last run by Spool, stopped cleanly$/m)
  })

  it('asks for a static quorum where the log has no voters', async () => {
    const text = await rowsOf(kafkaDirectory())
    assert.match(text, /^start of Kafka: ok: .*and controller\.quorum\.voters$/m)
  })

  it('of nobody says that it is new', async () => {
    const fs = kafkaDirectory()
    fs.remove(DATA_DIR)
    fs.makeDirectory(DATA_DIR)
    assert.equal(await rowsOf(fs), 'content: ok: none: a new directory')
  })
})

describe('doctor says what stands in the way', () => {
  it('of Spool only', async () => {
    const fs = kafkaDirectory({
      voters,
      records: topicOf('wide', { replicas: [1, 2], directories: [] }),
    })
    const text = await rowsOf(fs)
    assert.match(text, /^start of Spool: problem: wide-0 has the replicas \[1, 2\]/m)
    assert.match(text, /^start of Kafka: ok/m)
    assert.match(text, /^content: warning: there is no directory of wide-0: .* begins empty$/m)
  })

  it('of Kafka only', async () => {
    const fs = goodDirectory(...topicOf('other', { topicId: UUID.entry }))
    addPartition(fs, 'other-0', { topicId: null })
    addPartition(fs, 'nobody-3')
    fs.writeFileAtomic(`${DATA_DIR}/orders-0/leader-epoch-checkpoint`, 'garbage')
    fs.writeFileAtomic(`${DATA_DIR}/recovery-point-offset-checkpoint`, 'garbage')
    const text = await rowsOf(fs)
    assert.match(text, /^start of Spool: ok/m)
    assert.match(text, /^start of Kafka: warning: .*other-0 has no partition\.metadata/m)
    assert.match(text, /^start of Kafka: warning: .*orders-0\/leader-epoch-checkpoint is damaged/m)
    assert.match(text, /^start of Kafka: warning: .*recovery-point-offset-checkpoint is damaged/m)
    assert.match(text, /^content: warning: no topic owns nobody-3: .*sets such a directory aside/m)
  })

  it('of both', async () => {
    const newer = await rowsOf(goodDirectory(featureOf(34)))
    assert.match(newer, /^start of Spool: problem: .*metadata\.version 34/m)
    assert.match(newer, /^start of Kafka: warning: .*metadata\.version 34/m)
    const foreign = await rowsOf(kafkaDirectory({ voters: [[1, UUID.otherDirectory]] }))
    assert.match(foreign, /^start of Spool: problem: .*put the id of the metadata back/m)
    assert.match(foreign, /^start of Kafka: warning: .*put the id of the metadata back/m)
  })

  it('when the end of the metadata log is torn', async () => {
    const fs = goodDirectory()
    const path = `${METADATA_DIR}/00000000000000000000.log`
    fs.writeFileAtomic(path, Buffer.concat([fs.readFile(path), Buffer.alloc(7, 1)]))
    assert.match(await rowsOf(fs), /^content: warning: 7 bytes behind the last whole batch/m)
  })

  it('when the newest snapshot is damaged', async () => {
    const fs = goodDirectory()
    fs.writeFileAtomic(`${METADATA_DIR}/00000000000000000005-0000000003.checkpoint`, 'damage')
    const text = await rowsOf(fs)
    assert.match(text, /^content: warning: the snapshot 0+5-0+3\.checkpoint is damaged/m)
    assert.match(text, /^start of Spool: ok/m)
    assert.match(text, /^start of Kafka: warning: the snapshot 0+5-0+3\.checkpoint is damaged/m)
  })
})
