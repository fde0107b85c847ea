import { NATS_VERSION } from '../server-description.ts'
import { type MonitoredServer, timeText } from './monitored-server.ts'

let sequence = 0

/** Which server says something. Source: ServerInfo in events.go of nats-server. */
export function serverHead(server: MonitoredServer): object {
  const { frontend, host, nowMs, jetStream } = server
  const hasJetStream = jetStream !== null
  return {
    name: frontend.serverName,
    host,
    id: frontend.serverId,
    ver: NATS_VERSION,
    jetstream: hasJetStream,
    flags: hasJetStream ? 1 : 0,
    seq: ++sequence,
    time: timeText(nowMs),
  }
}
