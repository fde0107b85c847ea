const DOT = 46

/** Whether somebody can subscribe to it: no token is empty, and `>` comes last. */
export function isSubscribable(subject: string): boolean {
  const tokens = subject.split('.')
  const rest = tokens.indexOf('>')
  return !tokens.includes('') && (rest === -1 || rest === tokens.length - 1)
}

/** It has no `*` and no `>`. */
export function isLiteral(subject: string): boolean {
  return !subject.split('.').some((token) => token === '*' || token === '>')
}

/** Whether it is a subject to publish to. Without `pedantic` nobody asks. */
export function isPublishable(subject: string): boolean {
  return isSubscribable(subject) && isLiteral(subject)
}

/** Nobody can listen to such a subject. */
export function hasEmptyToken(bytes: Buffer, start: number, end: number): boolean {
  let tokenStart = start
  for (let at = start; at < end; at++) {
    if (bytes[at] !== DOT) continue
    if (at === tokenStart) return true
    tokenStart = at + 1
  }
  return tokenStart === end
}
