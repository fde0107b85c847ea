/** What others are told about a consumer. Source: jetstream_events.go of nats-server. */
export type ConsumerAdvisory = ConsumerEvent & {
  readonly stream: string
  readonly consumer: string
}

export type ConsumerEvent =
  | { readonly kind: 'created' | 'deleted' }
  | { readonly kind: 'paused'; readonly isPaused: boolean; readonly pauseUntil: string | undefined }
  | { readonly kind: 'max_deliver'; readonly streamSequence: number; readonly deliveries: number }
  | ({ readonly kind: 'nak' } & DeliveryFacts)
  | ({ readonly kind: 'terminated'; readonly reason: string } & DeliveryFacts)
  | ({ readonly kind: 'ack_sample'; readonly ackTimeMs: number } & DeliveryFacts)
  | { readonly kind: 'pinned'; readonly group: string; readonly pinId: string }
  | { readonly kind: 'unpinned'; readonly group: string; readonly reason: string }

/** A delivery, as its ack subject names it. */
export interface DeliveryFacts {
  readonly consumerSequence: number
  readonly streamSequence: number
  readonly deliveries: number
}
