import { describeScenarios } from '../../support/scenario-script.ts'
import { GroupScenario } from './group-scenario.ts'

describeScenarios('groups', () => {
  const scenario = new GroupScenario()
  return (command) => scenario.run(command)
})
