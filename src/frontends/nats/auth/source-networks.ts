import { BlockList, isIP, isIPv4 } from 'node:net'

/** Addresses that a client may come from. */
export class SourceNetworks {
  readonly #networks = new BlockList()

  /**
   * @param ranges as CIDR has them, `10.0.0.0/8`
   * @returns null when one of them can't be read
   */
  static of(ranges: readonly string[]): SourceNetworks | null {
    const networks = new SourceNetworks()
    return ranges.every((range) => networks.#add(range)) ? networks : null
  }

  has(address: string): boolean {
    return isIP(address) !== 0 && this.#networks.check(address, familyOf(address))
  }

  #add(range: string): boolean {
    const [, address = '', digits = ''] = /^([^/%]+)\/(\d{1,3})$/.exec(range) ?? []
    const prefix = Number(digits)
    if (isIP(address) === 0 || prefix > (isIPv4(address) ? 32 : 128)) return false
    this.#networks.addSubnet(address, prefix, familyOf(address))
    return true
  }
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv4(address) ? 'ipv4' : 'ipv6'
}
