import { Worker } from 'node:worker_threads'
import { StorageError } from '../base/errors.ts'
import type {
  CleanedSegment,
  CleanRequest,
  SegmentCleaner,
  Survey,
  SurveyRequest,
} from '../ports/segment-cleaner.ts'
import type { CleanerAnswer, CleanerCall } from './cleaner-messages.ts'

interface Waiter {
  resolve(value: unknown): void
  reject(error: Error): void
}

/** Cleans in a thread of its own, which exists only while there is something to clean. */
export class WorkerSegmentCleaner implements SegmentCleaner {
  #worker: Worker | null = null
  /** Who waits for an answer, in the order of calls. */
  readonly #waiters: Waiter[] = []
  #isClosed = false

  survey(request: SurveyRequest): Promise<Survey> {
    return this.#call({ kind: 'survey', request })
  }

  clean(request: CleanRequest): Promise<CleanedSegment> {
    return this.#call({ kind: 'clean', request })
  }

  discard(directory: string, baseOffset: number): Promise<void> {
    return this.#call({ kind: 'discard', directory, baseOffset })
  }

  writeFile(path: string, content: string): Promise<void> {
    return this.#call({ kind: 'write', path, content })
  }

  rest(): void {
    const worker = this.#worker
    this.#worker = null
    void worker?.terminate()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    const worker = this.#worker
    this.#worker = null
    await worker?.terminate()
    this.#fail(new StorageError('the cleaner was stopped'))
  }

  #call<T>(call: CleanerCall): Promise<T> {
    if (this.#isClosed) return Promise.reject(new StorageError('the cleaner was stopped'))
    return new Promise<T>((resolve, reject) => {
      this.#waiters.push({ resolve: (value) => resolve(value as T), reject })
      this.#worker ??= this.#start()
      this.#worker.postMessage(call)
    })
  }

  #start(): Worker {
    // Built, both are JavaScript in one directory.
    const file = import.meta.url.endsWith('.ts') ? './cleaner-worker.ts' : './cleaner-worker.js'
    const worker = new Worker(new URL(file, import.meta.url), { name: 'log-cleaner' })
    worker.on('message', (answer: CleanerAnswer) => this.#answered(answer))
    worker.on('error', (error) => {
      this.#worker = null
      this.#fail(new StorageError(`the cleaner thread failed: ${error}`, { cause: error }))
    })
    return worker
  }

  #answered(answer: CleanerAnswer): void {
    const waiter = this.#waiters.shift()
    if ('value' in answer) waiter?.resolve(answer.value)
    else waiter?.reject(new StorageError(answer.error.message, { cause: answer.error }))
  }

  #fail(error: StorageError): void {
    for (const waiter of this.#waiters.splice(0)) waiter.reject(error)
  }
}
