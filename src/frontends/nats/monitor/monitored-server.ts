import type { NatsFrontend } from '../nats-frontend.ts'

/** A server as its pages show it. */
export interface MonitoredServer {
  readonly frontend: NatsFrontend
  readonly startedAtMs: number
  readonly nowMs: number
  readonly memoryBytes: number
  readonly cpuPercent: number
  readonly coreCount: number
  readonly host: string
  readonly port: number
  readonly maxConnections: number
  readonly httpHost: string
  readonly httpPort: number
  readonly tlsRequired: boolean
  readonly tlsVerify: boolean
  /** What JetStream tells of itself; null: it is not served. */
  readonly jetStream: JetStreamPages | null
}

export interface JetStreamPages {
  /** For `/varz`. */
  summary(): object
  /** For `/jsz`. */
  page(options: PageOptions): object
}

/** What is asked of a page, by name; from a query or from JSON. */
export type PageOptions = ReadonlyMap<string, unknown>

export function timeText(ms: number): string {
  return new Date(ms).toISOString()
}

/** Source: myUptime of nats-server. */
export function uptimeText(ms: number): string {
  const seconds = Math.floor(ms / 1000)
  const minutes = Math.floor(seconds / 60)
  const hours = Math.floor(minutes / 60)
  const days = Math.floor(hours / 24)
  if (days > 0) return `${days}d${hours % 24}h${minutes % 60}m${seconds % 60}s`
  if (hours > 0) return `${hours}h${minutes % 60}m${seconds % 60}s`
  return minutes > 0 ? `${minutes}m${seconds % 60}s` : `${seconds}s`
}

export function numberOption(options: PageOptions, name: string, otherwise: number): number {
  const value = Number(options.get(name) ?? Number.NaN)
  return Number.isInteger(value) && value >= 0 ? value : otherwise
}

export function textOption(options: PageOptions, name: string): string {
  const value = options.get(name)
  return typeof value === 'string' ? value : ''
}

export function flagOption(options: PageOptions, name: string): boolean {
  return ['true', '1', 'yes'].includes(String(options.get(name) ?? '').toLowerCase())
}
