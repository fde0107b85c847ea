/** Stands in for the function of Deno's library that the tests of nats.js use. */
export function equals(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}
