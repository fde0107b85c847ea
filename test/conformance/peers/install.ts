/** Installs the peers ahead of time: node test/conformance/peers/install.ts [NAME...] */
import { peersDir } from './cache.ts'
import { installCrossProtocol } from './cross-protocol.ts'
import { installFranzGo } from './franz-go.ts'
import { installKafka } from './kafka.ts'
import { installKafkaStreams } from './kafka-streams.ts'
import { installKafkaTests } from './kafka-tests.ts'
import { installNatsCli, installNatsServer } from './nats.ts'
import { installPythonClients } from './python.ts'
import { installSpringKafka } from './spring-kafka.ts'

const PEERS: Readonly<Record<string, () => Promise<unknown>>> = {
  kafka: installKafka,
  'kafka-streams': installKafkaStreams,
  'kafka-tests': installKafkaTests,
  python: installPythonClients,
  'franz-go': installFranzGo,
  'spring-kafka': installSpringKafka,
  'nats-cli': installNatsCli,
  'nats-server': installNatsServer,
  'cross-protocol': installCrossProtocol,
}

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(PEERS)
for (const name of names) {
  const install = PEERS[name]
  if (install === undefined) {
    console.error(`no peer is called ${name}; there are ${Object.keys(PEERS).join(', ')}`)
    process.exitCode = 2
    break
  }
  try {
    await install()
    console.log(`${name}: installed under ${peersDir}`)
  } catch (error) {
    console.error(`${name}: ${(error as Error).message}`)
    process.exitCode = 1
    break
  }
}
