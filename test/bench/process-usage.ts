import { readFileSync } from 'node:fs'

/** `/proc` counts CPU time in these; it has been 100 on every Linux port for decades (USER_HZ). */
const TICKS_PER_SECOND = 100
/** Fields after the program's name in `/proc/PID/stat`; proc(5) counts from 1 and includes two before. */
const USER_TICKS_INDEX = 11
const SYSTEM_TICKS_INDEX = 12

export interface CpuSeconds {
  readonly user: number
  readonly system: number
}

/** CPU time of a process with all its threads since it started. Linux only. */
export function cpuSecondsOf(pid: number): CpuSeconds {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const seconds = (index: number): number => Number(fields[index]) / TICKS_PER_SECOND
  return { user: seconds(USER_TICKS_INDEX), system: seconds(SYSTEM_TICKS_INDEX) }
}

/** Resident memory of a process in bytes. Linux only. */
export function residentBytesOf(pid: number): number {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  if (match === null) throw new Error(`process ${pid} has no resident memory: it ended`)
  return Number(match[1]) * 1024
}

export interface Measured<T> {
  readonly result: T
  readonly seconds: number
  /** What the broker used meanwhile. */
  readonly cpuSeconds: number
}

/** Runs `work` and tells what time it took and what CPU time process `pid` used. */
export async function measure<T>(pid: number, work: () => Promise<T>): Promise<Measured<T>> {
  const before = cpuSecondsOf(pid)
  const startedAt = performance.now()
  const result = await work()
  const seconds = (performance.now() - startedAt) / 1000
  const after = cpuSecondsOf(pid)
  const cpuSeconds = after.user - before.user + after.system - before.system
  return { result, seconds, cpuSeconds }
}
