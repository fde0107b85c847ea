const MAX_LENGTH = 249
const LEGAL = /^[a-zA-Z0-9._-]+$/

/** What is wrong with a topic name, in Kafka's words; null: nothing. Source: Kafka's Topic class. */
export function problemOfTopicName(name: string): string | null {
  const problem = problemOf(name)
  return problem === null ? null : `Topic name is invalid: ${problem}`
}

function problemOf(name: string): string | null {
  if (name === '') return 'the empty string is not allowed'
  if (name === '.' || name === '..') return `'${name}' is not allowed`
  if (name.length > MAX_LENGTH) {
    return `the length of '${name}' is longer than the max allowed length ${MAX_LENGTH}`
  }
  if (LEGAL.test(name)) return null
  return (
    `'${name}' contains one or more characters other than ASCII alphanumerics, ` +
    "'.', '_' and '-'"
  )
}

/** Equal for names that would be one name in metrics, where a period becomes an underscore. */
export const collisionKeyOf = (name: string): string => name.replaceAll('.', '_')

export const canCollide = (name: string): boolean => name.includes('.') || name.includes('_')
