import { ErrorCode } from '../../base/error-code.ts'
import type { TransactionCoordinator } from './transaction-coordinator.ts'
import { EPOCH_BUMP_VERSION, type TopicPartition } from './transaction-metadata.ts'
import type { ProducerIdentity } from './transaction-requests.ts'

export interface AdmissionRequest extends ProducerIdentity {
  readonly transactionalId: string
  readonly partitions: readonly TopicPartition[]
  /** The request adds what it writes to (KIP-890 part 2); else that must have been added before. */
  readonly mayAdd: boolean
  /** The client knows TRANSACTION_ABORTABLE; others get INVALID_TXN_STATE. */
  readonly knowsAbortable: boolean
}

export interface TransactionAdmissionOptions {
  readonly coordinator: Pick<TransactionCoordinator, 'addPartitions' | 'verifyPartitions'>
  /** `transaction.partition.verification.enable` */
  readonly isVerificationEnabled: () => boolean
}

/**
 * Asks the coordinator whether a producer may begin to write to partitions in its transaction. So
 * nothing is written to a partition that will get no marker (KIP-890 part 1).
 */
export class TransactionAdmission {
  readonly #options: TransactionAdmissionOptions

  constructor(options: TransactionAdmissionOptions) {
    this.#options = options
  }

  /**
   * @param done told once, in this turn or later, a code for each partition: what is appended in
   *   that turn is before any marker of the transaction
   */
  admit(request: AdmissionRequest, done: (errorCodes: readonly ErrorCode[]) => void): void {
    const { coordinator, isVerificationEnabled } = this.#options
    const { partitions, knowsAbortable } = request
    const tell = (code: ErrorCode): ErrorCode => codeForClient(code, knowsAbortable)
    if (request.mayAdd) {
      const added = { ...request, clientTransactionVersion: EPOCH_BUMP_VERSION }
      coordinator.addPartitions(added, (code) => done(partitions.map(() => tell(code))))
    } else if (isVerificationEnabled()) {
      coordinator.verifyPartitions(request, (codes) => done(codes.map(tell)))
    } else {
      done(partitions.map(() => ErrorCode.NONE))
    }
  }
}

/** Producers know a fenced epoch by another name here. */
function codeForClient(code: ErrorCode, knowsAbortable: boolean): ErrorCode {
  if (code === ErrorCode.PRODUCER_FENCED) return ErrorCode.INVALID_PRODUCER_EPOCH
  if (code === ErrorCode.TRANSACTION_ABORTABLE && !knowsAbortable) {
    return ErrorCode.INVALID_TXN_STATE
  }
  return code
}
