import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { basename } from 'node:path'

/** State "listening" in the kernel's socket tables. */
const LISTEN = '0A'

interface Owner {
  readonly pid: number
  readonly name: string
}

/**
 * Says who has a port, as far as this machine lets us see.
 * @returns e.g. `the address 127.0.0.1:9092 is in use by pid 71 (java)`
 */
export function describeAddressInUse(host: string, port: number): string {
  const owner = ownerOfPort(port)
  const by = owner === undefined ? '' : ` by pid ${owner.pid} (${owner.name})`
  return `the address ${host}:${port} is in use${by}`
}

/** Linux only, and only processes of the same user; elsewhere undefined. */
function ownerOfPort(port: number): Owner | undefined {
  try {
    const inodes = new Set([
      ...listeningInodes('/proc/net/tcp', port),
      ...listeningInodes('/proc/net/tcp6', port),
    ])
    if (inodes.size === 0) return undefined
    for (const name of readdirSync('/proc')) {
      if (/^\d+$/.test(name) && hasSocket(name, inodes)) {
        return { pid: Number(name), name: commandOf(name) }
      }
    }
  } catch {
    // No /proc, or the process ended meanwhile: the message does without it.
  }
  return undefined
}

/** The program, and the script when it runs one: `node spool.mjs` says more than `node`. */
function commandOf(pid: string): string {
  const [program = '', script = ''] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
  const name = basename(program)
  return /\.(mjs|js|ts|py)$/.test(script) ? `${name} ${basename(script)}` : name
}

function listeningInodes(table: string, port: number): string[] {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  return readFileSync(table, 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[1]?.endsWith(wanted) && fields[3] === LISTEN)
    .flatMap((fields) => fields[9] ?? [])
}

function hasSocket(pid: string, inodes: ReadonlySet<string>): boolean {
  let descriptors: string[]
  try {
    descriptors = readdirSync(`/proc/${pid}/fd`)
  } catch {
    // Another user's process.
    return false
  }
  return descriptors.some((descriptor) => {
    try {
      const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${descriptor}`))?.[1]
      return inode !== undefined && inodes.has(inode)
    } catch {
      // Closed since the directory was read.
      return false
    }
  })
}
