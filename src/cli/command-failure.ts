/** How a command ends when it can't do what it was asked. Source: shells' custom, 2 is usage. */
export const ExitCode = { FAILURE: 1, USAGE: 2 } as const
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode]

/** A command failed in a way its user can understand: the text is all that is printed. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure'
  readonly exitCode: ExitCode

  constructor(message: string, exitCode: ExitCode = ExitCode.FAILURE, options?: ErrorOptions) {
    super(message, options)
    this.exitCode = exitCode
  }
}

/** The command line itself is wrong. */
export function usageFailure(message: string): CommandFailure {
  return new CommandFailure(message, ExitCode.USAGE)
}

/** Reads a whole number of at least `min`. */
export function parseCount(text: string, flag: string, min = 0): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= min && Number.isSafeInteger(value)) return value
  throw usageFailure(`${flag} "${text}" is not a whole number of at least ${min}`)
}
