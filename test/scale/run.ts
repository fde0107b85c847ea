/**
 * Runs Spool with many partitions, or with one large log, and prints what each step took. Run:
 *   npm run scale -- [--topics N] [--partitions N per topic] [--batches N] [--open-files N]
 *   npm run scale -- --log-gb N [--segment-mb N]
 */
import { parseArgs } from 'node:util'
import { runLargeLog } from './large-log.ts'
import { runManyPartitions } from './many-partitions.ts'

const { values } = parseArgs({
  options: {
    topics: { type: 'string', default: '10' },
    partitions: { type: 'string', default: '1000' },
    batches: { type: 'string', default: '3' },
    'open-files': { type: 'string' },
    'log-gb': { type: 'string' },
    'segment-mb': { type: 'string', default: '1024' },
  },
})
const openFiles = values['open-files']
const logGb = values['log-gb']
const steps =
  logGb === undefined
    ? await runManyPartitions({
        topicCount: Number(values.topics),
        partitionsPerTopic: Number(values.partitions),
        batchCount: Number(values.batches),
        openFileLimit: openFiles === undefined ? null : Number(openFiles),
      })
    : await runLargeLog({
        bytes: Number(logGb) * 1e9,
        segmentBytes: Number(values['segment-mb']) * 1024 ** 2,
      })
for (const { step, milliseconds, residentMb, openFiles } of steps) {
  const figures = [
    `${Math.round(milliseconds)} ms`,
    `${Math.round(residentMb)} MB`,
    `${openFiles} open files`,
  ]
  console.info(`${step}: ${figures.join(', ')}`)
}
