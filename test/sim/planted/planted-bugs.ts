import type { Focus } from '../focus.ts'

/** A fault that the simulation has to find: a line of the broker as it must not be. */
export interface PlantedBug {
  /** What the broker does. */
  readonly name: string
  readonly file: string
  /** Text that is once in the file. */
  readonly find: string
  readonly replace: string
  /** For what few seeds come across. */
  readonly focus?: Focus
}

/** Bugs of the kind that databases had, each of one or two lines. */
export const PLANTED_BUGS: readonly PlantedBug[] = [
  {
    name: 'acknowledges before the sync',
    file: 'src/storage/write/log-syncer.ts',
    find: 'if (rolled.length === 0) handle.dataSync(finish)',
    replace: 'if (rolled.length === 0) this.#context.scheduler.after(0, () => finish(null))',
  },
  {
    name: 'does not sync the directory of a new segment',
    file: 'src/storage/write/log-syncer.ts',
    find: 'this.#context.fs.syncDirectoryLater(this.#directory, (failed) => {',
    replace: 'this.#context.scheduler.after(0, (failed: Error | null = null) => {',
  },
  {
    name: 'does not sync the segment that it ends',
    file: 'src/storage/write/log-syncer.ts',
    find: '[segment.handle, ...files.handles]',
    replace: '[...files.handles]',
  },
  {
    name: 'takes a sync that failed for one that succeeded',
    file: 'src/storage/write/log-syncer.ts',
    find: 'this.#done(error, endOffset)',
    replace: 'this.#done(null, endOffset)',
    focus: { faults: 'failing syncs' },
  },
  {
    name: 'leaves a torn end in the file',
    file: 'src/storage/recovery/log-recovery.ts',
    find: '    handle.truncate(position)\n',
    replace: '',
  },
  {
    name: 'cuts the last whole batch off with a torn end',
    file: 'src/storage/recovery/log-recovery.ts',
    find: '    handle.truncate(position)\n',
    replace: '    handle.truncate(Math.max(0, position - 1))\n',
  },
  {
    name: 'shows what recovery found before it is synced',
    file: 'src/storage/recovery/log-recovery.ts',
    find: '    segment.handle.dataSyncNow()\n    segment.isSynced = true',
    replace: '    segment.isSynced = true',
    focus: { faults: 'crashes', endings: ['power', 'kill'] },
  },
  {
    name: 'believes the page cache after a sync that failed',
    file: 'src/storage/segment/log-segment.ts',
    find: 'rewriter?.add(scanner.buffer, scanner.at, scanner.sizeBytes, scanner.position)',
    replace: '',
    focus: { faults: 'failing syncs', endings: ['kill', 'power'] },
  },
  {
    name: 'believes a flipped bit',
    file: 'src/storage/segment/batch-scanner.ts',
    find: 'const MAX_READS = 3',
    replace: 'const MAX_READS = 1',
    focus: { faults: 'flipped bits' },
  },
  {
    name: 'begins a segment before the one before is synced',
    file: 'src/storage/write/log-writer.ts',
    find: "if (this.#log.config.durability === 'os' || !this.#needsSync) return true",
    replace: 'return true',
    focus: { faults: 'crashes', endings: ['power'] },
  },
  {
    name: 'writes a recovery point before what is below it is synced',
    file: 'src/storage/log-checkpoints.ts',
    find: 'const points = this.#offsets((log) => log.recoveryPoint)\n    directory',
    replace: 'const points = this.#offsets((log) => log.logEndOffset)\n    directory',
    focus: { faults: 'crashes', endings: ['power'] },
  },
  {
    name: 'answers DeleteRecords before the log start is on disk',
    file: 'src/storage/partition-log.ts',
    find: '      await this.home.saveLogStarts()\n',
    replace: '',
  },
  {
    name: 'moves the log start before it is on disk',
    file: 'src/storage/log-manager.ts',
    find: '    this.#checkpoints.writeLogStarts((log) => Math.max(log.logStartToSave, starts.get(log) ?? 0))\n',
    replace: '',
    focus: { faults: 'crashes', endings: ['power'] },
  },
  {
    name: 'leaves the mark of a clean stop while it writes',
    file: 'src/storage/data-directory.ts',
    find: 'if (!this.#hasMarker) return',
    replace: 'if (this.#hasMarker || !this.#hasMarker) return',
  },
  {
    name: 'marks a stop as clean although a log failed',
    file: 'src/storage/log-manager.ts',
    find: 'if (!logs.every(({ writer }) => writer.isClosedCleanly)) return false',
    replace: '',
    focus: { faults: 'failing syncs', endings: ['stop'] },
  },
  {
    name: 'forgets a producer in its snapshots',
    file: 'src/storage/write/segment-roller.ts',
    find: 'snapshots.write(baseOffset, producers, files)',
    replace: 'snapshots.write(baseOffset, producers.slice(1), files)',
  },
  {
    name: 'keeps the sequences of what a full disk refused',
    file: 'src/storage/write/log-writer.ts',
    find: 'this.#pending.discard((known) => producers.undo(known))',
    replace: 'this.#pending.discard(() => {})',
    focus: { faults: 'full disk' },
  },
  {
    name: 'believes the checkpoints of a deleted topic of that name',
    file: 'src/storage/partition-directories.ts',
    find: 'this.#directory.speaksOf(name)',
    replace: 'false',
    focus: { deletesTopics: true },
  },
  {
    name: 'answers CreateTopics before its records are durable',
    file: 'src/cluster/standalone/metadata-log.ts',
    find: '    await safe\n',
    replace: '    safe.catch(() => undefined)\n',
    focus: { deletesTopics: true, endings: ['power', 'kill'] },
  },
  {
    name: 'answers a commit of offsets before it is durable',
    file: 'src/broker/coordinator/coordinator-shard.ts',
    find: '    this.#inFlight.push(commit)\n',
    replace:
      '    for (const { send } of commit.replies.splice(0)) send()\n    this.#inFlight.push(commit)\n',
  },
  {
    name: 'shows records of open transactions to readers of committed ones',
    file: 'src/storage/partition-log.ts',
    find: 'return unstable < 0 ? highWatermark : Math.min(unstable, highWatermark)',
    replace: 'return unstable < 0 ? highWatermark : highWatermark',
  },
  {
    name: 'forgets which transactions were aborted',
    file: 'src/storage/write/log-writer.ts',
    find: 'if (batch.aborted !== null) active.indexes.transactions.append(batch.aborted)',
    replace: '',
  },
  {
    name: 'makes a segment again without its aborted transactions',
    file: 'src/storage/recovery/producer-recovery.ts',
    find: 'if (aborted !== null && isRebuilt) segment.indexes.transactions.append(aborted)',
    replace: '',
  },
  {
    name: 'does not finish what was decided before a crash',
    file: 'src/broker/transactions/transaction-coordinator-shard.ts',
    find: 'if (isPrepared(transaction)) this.#finish(transaction, turn)',
    replace: '',
  },
  {
    name: 'keeps the offsets of an aborted transaction',
    file: 'src/broker/groups/offset-metadata-manager.ts',
    find: 'if (pending === undefined || !isCommitted) return',
    replace: 'if (pending === undefined) return',
  },
  {
    name: 'finds no leader epoch in a log after a crash',
    file: 'src/storage/recovery/producer-recovery.ts',
    find: 'if (epoch > epochs.latestEpoch) epochs.assign(epoch, baseOffsetOf(scanner.buffer, at))',
    replace: '',
  },
  {
    name: 'drops tombstones as soon as it compacts',
    file: 'src/storage/cleaner/batch-cleaner.ts',
    find: 'return hasValue || keepsTombstones',
    replace: 'return hasValue',
    focus: { compacts: true },
  },
  {
    name: 'renames a compacted segment before it is synced',
    file: 'src/storage/cleaner/cleaned-segment-writer.ts',
    find: 'this.#log.dataSyncNow()',
    replace: 'this.#log.sizeBytes()',
    focus: { compacts: true, faults: 'crashes', endings: ['power'] },
  },
  {
    name: 'answers an acknowledgement of a share group before it is durable',
    file: 'src/broker/share/share-partition.ts',
    find: 'batches)\n    return this.#keep(update)',
    replace: 'batches)\n    void this.#keep(update)\n    return DONE',
    focus: { sharesGroups: true },
  },
  {
    name: 'forgets how often records were delivered when it starts',
    file: 'src/broker/delivery/delivery-window.ts',
    find: '    deliveryCount,\n    owner: NO_OWNER,\n    dueMs: isFinal(state)',
    replace: '    deliveryCount: 0,\n    owner: NO_OWNER,\n    dueMs: isFinal(state)',
    focus: { sharesGroups: true },
  },
  {
    name: 'lets a lock run out that was renewed',
    file: 'src/broker/delivery/acknowledge.ts',
    find: '    this.#state.setDue(range, this.#nowMs + this.#limits.lockDurationMs(range.deliveryCount))\n    return null',
    replace: '    return null',
    focus: { sharesGroups: true },
  },
  {
    name: 'takes acknowledgements of somebody who does not have the record',
    file: 'src/broker/delivery/acknowledge.ts',
    find: "    return invalidState('Member is not the owner of offset')",
    replace: '    return null',
    focus: { sharesGroups: true },
  },
  {
    name: 'does not keep what a member gave back by leaving',
    file: 'src/broker/share/share-partition.ts',
    find: 'return this.#keep(this.#window.releaseAll(memberId))',
    replace:
      'this.#window.settle(this.#window.releaseAll(memberId), true, this.#ports.clock.monotonicMs())\n    return DONE',
    focus: { sharesGroups: true },
  },
  {
    name: 'leaves what is known of records out of snapshots of share groups',
    file: 'src/broker/share/coordinator/share-coordinator-shard.ts',
    find: '{ ...next, ...timestamps, snapshotEpoch }',
    replace: '{ ...next, ...timestamps, snapshotEpoch, stateBatches: [] }',
    focus: { sharesGroups: true },
  },
  {
    name: 'gives tasks of a streams group away before their member gave them up',
    file: 'src/broker/groups/streams/reconciliation.ts',
    find: 'const mustRevoke = !hasNoTasks(revoked) && hasNotReleased(owned, revoked)',
    replace: 'const mustRevoke = false',
  },
]
