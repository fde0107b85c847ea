/** Stands in for the assertions of Deno's library that the tests of nats.js use. */
import { strict as node } from 'node:assert'
import { isDeepStrictEqual } from 'node:util'

type ErrorClass = abstract new (...args: never[]) => Error

/** Deno does not tell kinds of byte arrays from each other; some of the tests have very long ones. */
function areSameBytes(a: unknown, b: unknown): boolean {
  return a instanceof Uint8Array && b instanceof Uint8Array && Buffer.compare(a, b) === 0
}

export const fail = (message?: string): never => node.fail(message ?? 'fail was called')
export const unreachable = (): never => node.fail('this should not be reached')
export const equal = (a: unknown, b: unknown): boolean =>
  areSameBytes(a, b) || isDeepStrictEqual(a, b)

export function assert(condition: unknown, message?: string): asserts condition {
  node.ok(condition, message ?? 'the condition does not hold')
}

export const assertFalse = (condition: unknown, message?: string): void => {
  node.ok(!condition, message ?? 'the condition holds')
}

export const assertExists = (value: unknown, message?: string): void => {
  node.ok(value !== null && value !== undefined, message ?? 'there is nothing')
}

export const assertEquals = (actual: unknown, expected: unknown, message?: string): void => {
  if (!areSameBytes(actual, expected)) node.deepEqual(actual, expected, message)
}

export const assertNotEquals = (actual: unknown, expected: unknown, message?: string): void => {
  node.ok(!equal(actual, expected), message ?? 'both are the same')
}

export const assertStrictEquals = (actual: unknown, expected: unknown, message?: string): void => {
  node.equal(actual, expected, message)
}

export const assertAlmostEquals = (actual: number, expected: number, tolerance = 1e-7): void => {
  const isNear = Math.abs(actual - expected) <= tolerance
  node.ok(isNear, `${actual} is not within ${tolerance} of ${expected}`)
}

export const assertGreater = (a: number, b: number): void => node.ok(a > b, `${a} <= ${b}`)
export const assertGreaterOrEqual = (a: number, b: number): void => node.ok(a >= b, `${a} < ${b}`)
export const assertLess = (a: number, b: number): void => node.ok(a < b, `${a} >= ${b}`)
export const assertLessOrEqual = (a: number, b: number): void => node.ok(a <= b, `${a} > ${b}`)

export const assertMatch = (text: string, pattern: RegExp, message?: string): void => {
  node.match(text, pattern, message)
}

export const assertStringIncludes = (text: string, part: string, message?: string): void => {
  node.ok(text.includes(part), message ?? `"${text}" does not contain "${part}"`)
}

export const assertArrayIncludes = (list: Iterable<unknown>, wanted: Iterable<unknown>): void => {
  const values = [...list]
  for (const value of wanted) {
    node.ok(
      values.some((other) => equal(other, value)),
      `${JSON.stringify(value)} is not among ${JSON.stringify(values)}`,
    )
  }
}

export const assertObjectMatch = (actual: object, expected: object): void => {
  node.partialDeepStrictEqual(actual, expected)
}

export function assertInstanceOf(value: unknown, expected: ErrorClass, message?: string): void {
  node.ok(value instanceof expected, message ?? `${String(value)} is no ${expected.name}`)
}

export function assertIsError(error: unknown, expected?: ErrorClass, part?: string): void {
  assertInstanceOf(error, expected ?? Error)
  if (part !== undefined) assertStringIncludes((error as Error).message, part)
}

/** What was thrown, which has to be of a class and to say something, if the test asks for that. */
function checkThrown(thrown: unknown, expected?: ErrorClass | string, part?: string): unknown {
  if (typeof expected === 'function') assertIsError(thrown, expected, part)
  return thrown
}

export function assertThrows(body: () => unknown, expected?: ErrorClass | string, part?: string) {
  try {
    body()
  } catch (error) {
    return checkThrown(error, expected, part)
  }
  return node.fail('it did not throw')
}

export async function assertRejects(
  body: () => PromiseLike<unknown>,
  expected?: ErrorClass | string,
  part?: string,
): Promise<unknown> {
  try {
    await body()
  } catch (error) {
    return checkThrown(error, expected, part)
  }
  return node.fail('it did not reject')
}
