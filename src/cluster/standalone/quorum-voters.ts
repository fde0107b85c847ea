import {
  ControlRecordType,
  decodeControlType,
  decodeControlValue,
  kraftVersionRecord,
  leaderChangeMessage,
  votersRecord,
} from '../../records/internal/control-records.ts'

/** A node that votes for the leader of the metadata. */
export interface Voter {
  readonly nodeId: number
  /** 22 characters base64url; null where the log names voters by their id only. */
  readonly directoryId: string | null
  /** Names of its controller listeners; empty where the log does not have them. */
  readonly listenerNames: readonly string[]
}

/**
 * Who votes, as the control records of the metadata log say it. With `kraft.version` 0 only the
 * leader's first record of an epoch names voters, and Kafka takes them from its configuration; from
 * 1 on they are records of their own, which a snapshot has to carry on (KIP-853).
 */
export class QuorumVoters {
  #kraftVersion = 0
  #voters: readonly Voter[] = []
  /** The newest VotersRecord as it was read, so that a snapshot has it to the byte. */
  #record: Buffer | null = null

  get kraftVersion(): number {
    return this.#kraftVersion
  }

  /** Empty before any record that names them. */
  get voters(): readonly Voter[] {
    return this.#voters
  }

  /** The value of the newest VotersRecord; null: there was none. */
  get record(): Buffer | null {
    return this.#record
  }

  /**
   * Takes a control record in; others than those about voters change nothing.
   * @throws ProtocolError when it is malformed or of a newer version
   */
  apply(key: Buffer | null, value: Buffer): void {
    switch (decodeControlType(key)) {
      case ControlRecordType.LEADER_CHANGE: {
        if (this.#record !== null) return
        const { voters } = decodeControlValue(leaderChangeMessage, value)
        this.#voters = voters.map(({ voterId }) => ({
          nodeId: voterId,
          directoryId: null,
          listenerNames: [],
        }))
        return
      }
      case ControlRecordType.KRAFT_VERSION:
        this.#kraftVersion = decodeControlValue(kraftVersionRecord, value).kRaftVersion
        return
      case ControlRecordType.KRAFT_VOTERS: {
        const { voters } = decodeControlValue(votersRecord, value)
        this.#voters = voters.map(({ voterId, voterDirectoryId, endpoints }) => ({
          nodeId: voterId,
          directoryId: voterDirectoryId,
          listenerNames: endpoints.map(({ name }) => name),
        }))
        this.#record = Buffer.from(value)
        return
      }
    }
  }
}
