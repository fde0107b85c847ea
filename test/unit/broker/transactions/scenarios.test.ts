import { describeScenarios } from '../../support/scenario-script.ts'
import { TransactionScenario } from './transaction-scenario.ts'

describeScenarios('transactions', () => {
  const scenario = new TransactionScenario()
  return (command) => scenario.run(command)
})
