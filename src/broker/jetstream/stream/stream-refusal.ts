/** Why a request about streams is refused, in JetStream's own numbers and words. */
export interface StreamRefusal {
  /** As in HTTP. */
  readonly code: number
  readonly err_code: number
  readonly description: string
}

function refusal(err_code: number, description: string, code = 400): StreamRefusal {
  return { code, err_code, description }
}

/** Source: errors.json of nats-server. */
export const StreamRefusals = {
  badRequest: refusal(10003, 'bad request'),
  snapshotDeliverSubject: refusal(10015, 'deliver subject not valid'),
  mirrorMaxMessageSize: refusal(10030, 'stream mirror must have max message size >= source'),
  mirrorWithSources: refusal(10031, 'stream mirrors can not also contain other sources'),
  mirrorWithSubjects: refusal(10034, 'stream mirrors can not contain subjects'),
  noMessageFound: refusal(10037, 'no message found', 404),
  notEmptyRequest: refusal(10038, 'expected an empty request payload'),
  sourceMaxMessageSize: refusal(10046, 'stream source must have max message size >= target'),
  messageTooLarge: refusal(10054, 'message size exceeds maximum allowed'),
  mirrorNotUpdatable: refusal(10055, 'stream mirror configuration can not be updated'),
  nameMismatch: refusal(10056, 'stream name in subject does not match request'),
  nameInUse: refusal(10058, 'stream name already in use with a different configuration'),
  notFound: refusal(10059, 'stream not found', 404),
  expectedStream: refusal(10060, 'expected stream does not match'),
  subjectsOverlap: refusal(10065, 'subjects overlap with an existing stream'),
  replicasNotSupported: refusal(10074, 'replicas > 1 not supported in non-clustered mode', 500),
  headersTooLarge: refusal(10097, 'header size exceeds maximum allowed of 64k'),
  sealed: refusal(10109, 'invalid operation on sealed stream'),
  nameHasSeparators: refusal(10128, 'Stream name can not contain path separators'),
  cannotRestore: refusal(10130, 'stream name already in use, cannot restore'),
  negativeReplicas: refusal(10133, 'replicas count cannot be negative'),
  duplicateSource: refusal(10140, 'duplicate source configuration detected'),
  invalidSourceName: refusal(10141, 'sourced stream name is invalid'),
  invalidMirrorName: refusal(10142, 'mirrored stream name is invalid'),
  mirrorWithFirstSequence: refusal(10143, 'stream mirrors can not have first sequence configured'),
  sourceManyFilters: refusal(
    10144,
    'source with multiple subject transforms cannot also have a single subject filter',
  ),
  sourceOverlappingFilters: refusal(10147, 'source filters can not overlap'),
  mirrorManyFilters: refusal(
    10150,
    'mirror with multiple subject transforms cannot also have a single subject filter',
  ),
  mirrorOverlappingFilters: refusal(10152, 'mirror subject filters can not overlap'),
  ttlInvalid: refusal(10165, 'invalid per-message TTL'),
  ttlDisabled: refusal(10166, 'per-message TTL is disabled'),
  incrementDisabled: refusal(10168, 'message counters is disabled'),
  wrongLastSequence: refusal(10164, 'wrong last sequence'),
  insufficientResources: refusal(10023, 'insufficient resources', 503),
  sourceHeader: refusal(10227, 'message stream source header is not allowed'),
  schedulesDisabled: refusal(10188, 'message schedules is disabled'),
  apiLevel: refusal(10185, 'JetStream minimum api level required', 412),
  expectedSubjectWithoutSequence: refusal(
    10193,
    'missing sequence for expected last sequence per subject',
  ),
} as const

/** Source: messages of a stream whose configuration is refused. */
export function invalidConfig(reason: string): StreamRefusal {
  return refusal(10052, reason, 500)
}

export function invalidJson(reason: string): StreamRefusal {
  return refusal(10025, `invalid JSON: ${reason}`)
}

export function createFailed(reason: string): StreamRefusal {
  return refusal(10049, reason, 500)
}

export function updateFailed(reason: string): StreamRefusal {
  return refusal(10069, reason, 500)
}

export function deleteFailed(reason: string): StreamRefusal {
  return refusal(10050, reason, 500)
}

export function sequenceNotFound(sequence: number): StreamRefusal {
  return refusal(10043, `sequence ${sequence} not found`)
}

export function messageDeleteFailed(reason: string): StreamRefusal {
  return refusal(10057, reason, 500)
}

export function purgeFailed(reason: string): StreamRefusal {
  return refusal(10110, reason, 500)
}

export function rollupFailed(reason: string): StreamRefusal {
  return refusal(10111, reason, 500)
}

export function storeFailed(reason: string): StreamRefusal {
  return refusal(10077, reason, 503)
}

export function wrongLastMessageId(id: string): StreamRefusal {
  return refusal(10070, `wrong last msg ID: ${id}`)
}

export function wrongLastSequence(sequence: number): StreamRefusal {
  return refusal(10071, `wrong last sequence: ${sequence}`)
}

export function pedantic(reason: string): StreamRefusal {
  return refusal(10157, `pedantic mode: ${reason}`)
}

export function invalidTransformSource(reason: string): StreamRefusal {
  return refusal(10155, `stream transform source: ${reason}`)
}

export function invalidTransform(reason: string): StreamRefusal {
  return refusal(10156, `stream transform: ${reason}`)
}

export function invalidSourceTransform(reason: string): StreamRefusal {
  return refusal(10146, `source transform: ${reason}`)
}

export function invalidSourceFilter(reason: string): StreamRefusal {
  return refusal(10145, `source transform source: ${reason}`)
}

export function invalidMirrorTransform(reason: string): StreamRefusal {
  return refusal(10154, `mirror transform: ${reason}`)
}

export function invalidMirrorFilter(reason: string): StreamRefusal {
  return refusal(10151, `mirror transform source: ${reason}`)
}

/** @param reason why there is no copy of a stream */
export function snapshotFailed(reason: string): StreamRefusal {
  return refusal(10064, `snapshot failed: ${reason}`, 500)
}

/** @param reason why a stream does not come back from its backup */
export function restoreFailed(reason: string): StreamRefusal {
  return refusal(10062, `restore failed: ${reason}`, 500)
}
