import cliProgress from 'cli-progress'

export interface Progress {
  add(amount: number): void
  stop(): void
}

const SILENT: Progress = { add: () => {}, stop: () => {} }

/** A bar on the standard error when somebody watches it and the total is known. */
export function startProgress(task: string, total: number | undefined, unit: string): Progress {
  if (!process.stderr.isTTY || total === undefined || total === 0) return SILENT
  const format = `${task} {bar} {percentage}% {value}/{total} ${unit}, {eta_formatted} left`
  const bar = new cliProgress.SingleBar(
    { format, stream: process.stderr, clearOnComplete: true, hideCursor: true },
    cliProgress.Presets.shades_classic,
  )
  bar.start(total, 0)
  return { add: (amount) => bar.increment(amount), stop: () => bar.stop() }
}
