/** Values printed beside a log text; never secrets. */
export type LogFields = Readonly<Record<string, unknown>>

/** Structured log. The text is constant, what varies is in the fields. */
export interface Logger {
  debug(text: string, fields?: LogFields): void
  info(text: string, fields?: LogFields): void
  warn(text: string, fields?: LogFields): void
  error(text: string, fields?: LogFields): void
  /** The same log, with `component` in every line. */
  child(component: string): Logger
}
