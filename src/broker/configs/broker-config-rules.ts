import { ErrorCode } from '../../base/error-code.ts'
import { BrokerError } from '../../base/errors.ts'
import { brokerConfigDefinitions, nearestName } from './config-tables.ts'
import { problemOf } from './config-validation.ts'
import { isAccepted } from './dynamic-configs.ts'

const MIN_ISR = 'min.insync.replicas'

/** @throws BrokerError INVALID_REQUEST unless it is '' (all brokers) or this broker */
export function checkBrokerResource(resourceName: string, nodeId: number): void {
  if (resourceName === '') return
  if (!/^-?\d+$/.test(resourceName)) {
    throw invalidRequest(`Node id must be an integer, but it is: ${resourceName}`)
  }
  if (Number(resourceName) !== nodeId) {
    throw invalidRequest(`Unexpected broker id, expected ${nodeId}, but received ${resourceName}`)
  }
}

/**
 * Checks what changed among the values set for a broker, or for all with resource name ''.
 * @throws BrokerError with Kafka's code and text
 */
export function validateBrokerConfigs(
  resourceName: string,
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): void {
  const changed = [...after].filter(([name, value]) => before.get(name) !== value)
  for (const [name] of changed) checkName(name)
  const fixed = changed.map(([name]) => name).filter((name) => !isAccepted(name))
  if (fixed.length > 0) {
    throw invalidRequest(`Cannot update these configs dynamically: [${fixed.join(', ')}]`)
  }
  for (const [name, value] of changed) {
    const definition = brokerConfigDefinitions().get(name)
    const problem = definition === undefined ? null : problemOf(definition, value)
    if (problem !== null) throw invalidRequest(problem)
  }
  if (resourceName !== '' && before.get(MIN_ISR) !== after.get(MIN_ISR)) {
    throw invalidConfig(`Broker-level ${MIN_ISR} cannot be altered while ELR is enabled.`)
  }
  if (resourceName === '' && before.has(MIN_ISR) && !after.has(MIN_ISR)) {
    throw invalidConfig(`Cluster-level ${MIN_ISR} cannot be removed while ELR is enabled.`)
  }
}

function checkName(name: string): void {
  const definitions = brokerConfigDefinitions()
  if (definitions.has(name)) return
  const nearest = nearestName(name, definitions.keys())
  const hint = nearest === null ? '' : ` (did you mean ${nearest}?)`
  throw invalidConfig(`Unknown broker config name: ${name}${hint}`)
}

const invalidRequest = (message: string): BrokerError =>
  new BrokerError(ErrorCode.INVALID_REQUEST, message)

const invalidConfig = (message: string): BrokerError =>
  new BrokerError(ErrorCode.INVALID_CONFIG, message)
