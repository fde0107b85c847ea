import type { ConnectionCounter, ListenOptions } from '../ports/transport.ts'

type Limits = Pick<
  ListenOptions,
  'maxConnections' | 'maxConnectionsPerIp' | 'maxConnectionsPerIpOverrides' | 'shared'
>

/** Connections of a listener or of several, in all and by the address of the peer. */
export class ConnectionCounts implements ConnectionCounter {
  readonly #limits: Limits
  readonly #byAddress = new Map<string, number>()
  #total = 0

  constructor(limits: Limits) {
    this.#limits = limits
  }

  get total(): number {
    return this.#total
  }

  of(address: string): number {
    return this.#byAddress.get(address) ?? 0
  }

  add(address: string): boolean {
    const { maxConnections, maxConnectionsPerIp, maxConnectionsPerIpOverrides } = this.#limits
    const perIp = maxConnectionsPerIpOverrides.get(address) ?? maxConnectionsPerIp
    const count = this.of(address)
    if (this.#total >= maxConnections || count >= perIp) return false
    if (this.#limits.shared?.add(address) === false) return false
    this.#total++
    this.#byAddress.set(address, count + 1)
    return true
  }

  remove(address: string): void {
    this.#limits.shared?.remove(address)
    this.#total--
    const count = this.of(address) - 1
    if (count <= 0) this.#byAddress.delete(address)
    else this.#byAddress.set(address, count)
  }
}
