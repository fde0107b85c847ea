/** The functions of Deno's standard library that the tests of nats.js use, on Node's own. */
import assertion from 'node:assert/strict'

type ErrorClass = new (...args: never[]) => Error

export function assert(value: unknown, text?: string): void {
  assertion.ok(value, text)
}

export function assertFalse(value: unknown, text?: string): void {
  assertion.ok(!value, text)
}

/** Bytes are equal whatever class they are of. */
function comparable(value: unknown): unknown {
  return value instanceof Uint8Array ? [...value] : value
}

export function assertEquals(value: unknown, expected: unknown, text?: string): void {
  assertion.deepStrictEqual(comparable(value), comparable(expected), text)
}

export function assertNotEquals(value: unknown, unwanted: unknown, text?: string): void {
  assertion.notDeepStrictEqual(comparable(value), comparable(unwanted), text)
}

export function assertStrictEquals(value: unknown, expected: unknown, text?: string): void {
  assertion.equal(value, expected, text)
}

export function assertExists(value: unknown, text?: string): void {
  assertion.ok(value !== null && value !== undefined, text)
}

export function assertInstanceOf(value: unknown, type: ErrorClass, text?: string): void {
  assertion.ok(value instanceof type, text)
}

export function assertStringIncludes(value: string, part: string, text?: string): void {
  assertion.ok(value.includes(part), text ?? `"${value}" lacks "${part}"`)
}

export function assertMatch(value: string, pattern: RegExp, text?: string): void {
  assertion.match(value, pattern, text)
}

export function assertArrayIncludes(
  values: Iterable<unknown>,
  expected: Iterable<unknown>,
  text?: string,
): void {
  const all = [...values]
  for (const one of expected)
    assertion.ok(
      all.some((value) => equal(value, one)),
      text,
    )
}

const TOLERANCE = 1e-7

export function assertAlmostEquals(value: number, expected: number, tolerance = TOLERANCE): void {
  assertion.ok(Math.abs(value - expected) <= tolerance, `${value} is not nearly ${expected}`)
}

export function assertGreater(value: number, limit: number, text?: string): void {
  assertion.ok(value > limit, text)
}

export function assertGreaterOrEqual(value: number, limit: number, text?: string): void {
  assertion.ok(value >= limit, text)
}

export function assertLess(value: number, limit: number, text?: string): void {
  assertion.ok(value < limit, text)
}

export function assertLessOrEqual(value: number, limit: number, text?: string): void {
  assertion.ok(value <= limit, text)
}

export function assertObjectMatch(value: object, part: object): void {
  assertion.partialDeepStrictEqual(value, part)
}

export function fail(text?: string): never {
  assertion.fail(text)
}

/** @param type an error class, or the text of the assertion */
function check(error: unknown, type: ErrorClass | string | undefined, part: string): void {
  if (typeof type === 'function') {
    const { name, message } = error as Error
    assertion.ok(error instanceof type, `${type.name} was expected, not ${name}: ${message}`)
    assertStringIncludes(message, part)
  }
}

export function assertIsError(error: unknown, type?: ErrorClass, part = ''): void {
  assertion.ok(error instanceof Error)
  check(error, type, part)
}

export function assertThrows(body: () => unknown, type?: ErrorClass | string, part = ''): unknown {
  try {
    body()
  } catch (error) {
    check(error, type, part)
    return error
  }
  return fail('it did not throw')
}

export async function assertRejects(
  body: () => PromiseLike<unknown>,
  type?: ErrorClass | string,
  part = '',
): Promise<unknown> {
  try {
    await body()
  } catch (error) {
    check(error, type, part)
    return error
  }
  return fail('it did not reject')
}

export function equal(one: unknown, other: unknown): boolean {
  try {
    assertEquals(one, other)
    return true
  } catch {
    return false
  }
}

/** Of `@std/bytes`. */
export function equals(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0
}

/** Of `@std/bytes`. */
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts)
}
