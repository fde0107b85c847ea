#!/usr/bin/env node
// Spool under the name, and with the flags and the configuration, of nats-server.
import { run } from './run.mjs'

await run('nats-server', 'runNatsServer')
