/**
 * A reporter of node:test that writes only the counts of the whole run, as JSON. It has the last
 * word on the numbers because the runner itself gives them.
 */
interface SummaryEvent {
  readonly type: string
  readonly data: {
    readonly file?: string
    readonly counts?: Readonly<Record<'passed' | 'failed' | 'skipped' | 'cancelled', number>>
  }
}

export async function* countReporter(source: AsyncIterable<SummaryEvent>): AsyncGenerator<string> {
  for await (const event of source) {
    // Each file has a summary of its own; the run's has no file.
    if (event.type !== 'test:summary' || event.data.file !== undefined) continue
    const counts = event.data.counts
    if (counts === undefined) continue
    yield JSON.stringify({
      passed: counts.passed,
      failed: counts.failed + counts.cancelled,
      skipped: counts.skipped,
    })
  }
}

// node:test takes a reporter from the default export only.
export { countReporter as default }
