import { describeScenarios } from '../../../support/scenario-script.ts'
import { StreamsScenario } from './streams-scenario.ts'

describeScenarios('streams-groups', () => {
  const scenario = new StreamsScenario()
  return (command) => scenario.run(command)
})
