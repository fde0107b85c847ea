/** The log was deleted, or retention took what was to be compacted: nothing is wrong. */
export class CleaningAborted extends Error {
  override readonly name = 'CleaningAborted'

  constructor() {
    super('the log has changed while it was compacted')
  }
}
