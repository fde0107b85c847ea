/**
 * Runs Spool with many partitions and prints what each step took.
 * Run: npm run scale -- [--topics N] [--partitions N per topic] [--batches N] [--open-files N]
 */
import { parseArgs } from 'node:util'
import { runManyPartitions } from './many-partitions.ts'

const { values } = parseArgs({
  options: {
    topics: { type: 'string', default: '10' },
    partitions: { type: 'string', default: '1000' },
    batches: { type: 'string', default: '3' },
    'open-files': { type: 'string' },
  },
})
const openFiles = values['open-files']
const steps = await runManyPartitions({
  topicCount: Number(values.topics),
  partitionsPerTopic: Number(values.partitions),
  batchCount: Number(values.batches),
  openFileLimit: openFiles === undefined ? null : Number(openFiles),
})
for (const { step, milliseconds, residentMb, openFiles } of steps) {
  const figures = [
    `${Math.round(milliseconds)} ms`,
    `${Math.round(residentMb)} MB`,
    `${openFiles} open files`,
  ]
  console.info(`${step}: ${figures.join(', ')}`)
}
