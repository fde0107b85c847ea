import { describeScenarios } from '../../support/scenario-script.ts'
import { ShareGroupScenario } from './share-group-scenario.ts'

describeScenarios('share-groups', () => {
  const scenario = new ShareGroupScenario()
  return (command) => scenario.run(command)
})
