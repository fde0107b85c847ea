/**
 * Whether `of` takes every subject that `subject` takes; both may have wildcards.
 * Source: subjectIsSubsetMatch of nats-server.
 */
export function isSubset(subject: string, of: string): boolean {
  const tokens = subject.split('.')
  const wider = of.split('.')
  for (let i = 0; i < wider.length; i++) {
    const token = tokens[i]
    if (token === undefined) return false
    if (wider[i] === '>') return true
    if (token === '>') return false
    if (wider[i] !== '*' && wider[i] !== token) return false
  }
  return tokens.length === wider.length
}
