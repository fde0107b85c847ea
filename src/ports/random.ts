/** Randomness as the domain sees it, so that a seed replays a run. */
export interface Random {
  /** An integer from 0 to `below - 1`. */
  int(below: number): number
  /** A new random uuid in Kafka's print form: 22 characters base64url, never starting with `-`. */
  uuid(): string
}
