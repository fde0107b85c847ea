/** The releases of the peers that Spool is compared with; a change here installs them anew. */
export const versions = {
  /** Broker and command-line tools. */
  kafka: '4.4.0',
  /** The newest release whose client integration tests are published. */
  kafkaTests: '4.3.1',
  springKafka: '4.1.2',
  log4j: '2.25.3',
  junitConsole: '1.13.1',
  confluentKafka: '2.16.1',
  kafkaPython: '3.0.12',
  pytest: '9.2.0',
  franzGo: 'v1.22.3',
  natsCli: 'v0.5.0',
  natsServer: 'v2.15.2',
  natsJwt: '0.0.11',
  ajv: '8.17.1',
  /** Batches for nats.go. */
  orbitJetStream: 'v0.3.2',
} as const
