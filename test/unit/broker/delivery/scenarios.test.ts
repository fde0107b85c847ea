import { describeScenarios } from '../../support/scenario-script.ts'
import { DeliveryScenario } from './delivery-scenario.ts'

describeScenarios('delivery', () => {
  const scenario = new DeliveryScenario()
  return (command) => scenario.run(command)
})
