import { describeScenarios } from '../../../support/scenario-script.ts'
import { ConsumerScenario } from './consumer-scenario.ts'

describeScenarios('jetstream-consumers', () => {
  const scenario = new ConsumerScenario()
  return (command) => scenario.run(command)
})
