/** A promise that was broken, found by a simulation. */
export class SimFailure extends Error {}

/** The simulated process is no more; what waited for it never hears. */
export class ProcessDied extends Error {}

/** @throws SimFailure when a promise was broken */
export function expect(isKept: boolean, broken: string | (() => string)): asserts isKept {
  if (!isKept) throw new SimFailure(typeof broken === 'string' ? broken : broken())
}
