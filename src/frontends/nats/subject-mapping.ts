/** A reference to the Nth wildcard of the other subject. */
const REFERENCE = /^(?:\$|\{\{wildcard\()(\d+)(?:\)\}\})?$/

/** Takes any token where a subject refers to one of another subject. */
export function withoutReferences(subject: string): string {
  const tokens = subject.split('.')
  return tokens.map((token) => (REFERENCE.test(token) ? '*' : token)).join('.')
}

/** Says in `to` which token of `from` each of its wildcards is, where `from` refers to those. */
export function reversed(from: string, to: string): string {
  if (withoutReferences(from) === from) return to
  const wildcards = from.split('.').filter((token) => token === '*' || REFERENCE.test(token))
  const references = wildcards.map((token, at) => Number(REFERENCE.exec(token)?.[1] ?? at + 1))
  let count = 0
  const mapped = to.split('.').map((token) => {
    if (token !== '*') return token
    const at = references.indexOf(++count)
    return at === -1 ? token : `$${at + 1}`
  })
  return mapped.join('.')
}

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
