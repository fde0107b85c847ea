import type { PublishFacts } from '../publish-facts.ts'
import type { StreamSource } from '../stream-config.ts'

const STREAM_SOURCE = 'Nats-Stream-Source'
const LINE_END = '\r\n'
const ANY = '>'

/** Lines that say nothing of a copy: what the first publisher expected, and where it came from before. */
const LEFT_BEHIND = /^(?:Nats-Stream-Source|Nats-Expected-[^:]*|Nats-Batch-[^:]*):/

/** A message in its origin, as its copy names it. */
export interface SourcePosition {
  /** Which of the sources of a stream; see `sourceKeyOf`. */
  readonly source: string
  readonly sequence: number
  /** Changes when the origin is made anew; empty: not told. */
  readonly identity: string
}

/**
 * Tells the sources of one stream apart: name, filters, destinations.
 * Source: composeIName of nats-server.
 */
export function sourceKeyOf(source: StreamSource): string {
  const { name, filter_subject: filter = '', subject_transforms: transforms = [] } = source
  if (transforms.length === 0) return `${name} ${filter === '' ? ANY : filter} ${ANY}`
  const from = transforms.map(({ src }) => (src === '' ? ANY : src)).join('\f')
  const to = transforms.map(({ dest }) => (dest === '' ? ANY : dest)).join('\f')
  return `${name} ${from} ${to}`
}

/** The value of the header. Source: genSourceHeader of nats-server. */
export function sourceHeaderOf(position: SourcePosition, subject: string): string {
  const [name, from, to] = position.source.split(' ')
  return `${name} ${position.sequence} ${from} ${to} ${subject} ${position.identity}`
}

/** null: it is not one. Source: streamAndSeq of nats-server. */
export function parseSourceHeader(text: string): SourcePosition | null {
  const [name, digits = '', from, to, , identity = ''] = text.split(' ')
  if (to === undefined || !/^\d{1,15}$/.test(digits)) return null
  return { source: `${name} ${from} ${to}`, sequence: Number(digits), identity }
}

/** The header block of a copy. */
export function sourcedHeaders(block: Buffer | null, header: string): Buffer {
  const lines = block === null ? ['NATS/1.0'] : block.toString('latin1').split(LINE_END)
  const kept = lines.filter((line) => line !== '' && !LEFT_BEHIND.test(line))
  return Buffer.from([...kept, `${STREAM_SOURCE}: ${header}`, '', ''].join(LINE_END), 'latin1')
}

/** What the headers of a copy may still ask: the origin looked at the rest. */
export function sourcedFacts(facts: PublishFacts): PublishFacts {
  return { ...facts, rollup: '', ttl: '', expectedLastMessageId: '' }
}
