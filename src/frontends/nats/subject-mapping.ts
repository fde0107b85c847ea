/** A reference to the Nth wildcard of the other subject. */
const REFERENCE = /^(?:\$|\{\{wildcard\()(\d+)(?:\)\}\})?$/

/**
 * The subject on the other side of an import: what stands in the place of the wildcards of `from`
 * takes the place of those of `to`, in their order, or as `$1`, `$2`… say.
 * @param subject one that `from` takes
 */
export function mapSubject(subject: string, from: string, to: string): string {
  if (from === to) return subject
  const tokens = subject.split('.')
  const found: string[] = []
  let rest = ''
  from.split('.').forEach((token, index) => {
    if (token === '*') found.push(tokens[index] ?? '')
    else if (token === '>') rest = tokens.slice(index).join('.')
  })
  let next = 0
  const mapped = to.split('.').map((token) => {
    const reference = REFERENCE.exec(token)
    if (reference !== null) return found[Number(reference[1]) - 1] ?? ''
    if (token === '*') return found[next++] ?? ''
    return token === '>' ? rest : token
  })
  return mapped.join('.')
}
