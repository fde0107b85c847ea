/** A value of nats-server's configuration language. */
export type ConfValue = string | number | boolean | readonly ConfValue[] | ConfMap

/** The settings of one block by name. */
export type ConfMap = ReadonlyMap<string, ConfValue>

export function isConfMap(value: ConfValue | undefined): value is ConfMap {
  return value instanceof Map
}

export function isConfArray(value: ConfValue | undefined): value is readonly ConfValue[] {
  return Array.isArray(value)
}
