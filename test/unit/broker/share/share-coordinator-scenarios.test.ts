import { describeScenarios } from '../../support/scenario-script.ts'
import { ShareCoordinatorScenario } from './share-coordinator-scenario.ts'

describeScenarios('share-coordinator', () => {
  const scenario = new ShareCoordinatorScenario()
  return (command) => scenario.run(command)
})
