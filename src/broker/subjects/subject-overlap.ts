/** Whether some subject is taken by both; each may have wildcards. Source: SubjectsCollide of nats-server. */
export function isOverlap(one: string, other: string): boolean {
  const tokens = one.split('.')
  const others = other.split('.')
  for (let i = 0; ; i++) {
    const a = tokens[i]
    const b = others[i]
    if (a === undefined || b === undefined) return a === b
    if (a === '>' || b === '>') return true
    if (a !== '*' && b !== '*' && a !== b) return false
  }
}
