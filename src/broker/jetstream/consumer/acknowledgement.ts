import type { DeliveryFacts } from './consumer-advisory.ts'

/** What a client says of a message it was given. */
export type AckVerb =
  | { readonly kind: 'ack' }
  /** It could not do it; 0: give it to somebody at once. */
  | { readonly kind: 'nak'; readonly delayMs: number }
  /** It still works on it. */
  | { readonly kind: 'progress' }
  /** Nobody shall get it again. */
  | { readonly kind: 'term'; readonly reason: string }

/** With the numbers of the delivery that is meant. */
export interface Acknowledgement extends DeliveryFacts {
  readonly verb: AckVerb
}
