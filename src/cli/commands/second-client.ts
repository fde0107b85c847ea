import { Admin, GenericError, MultipleErrors, ProtocolError } from '@platformatic/kafka'
import { CommandFailure } from '../command-failure.ts'
import { bootstrapBrokersOf, type ClientOptions } from './kafka-client.ts'

/**
 * An admin client of the second library: kafkajs can only replace all configurations, keeps the broker's
 * words for itself, takes 5 s to set offsets, and sees no groups but classic ones.
 * @param retries more than 0 for what a broker may not be ready for yet; else a refusal stays one, and
 *   whether the broker is there was found out before
 * @throws CommandFailure with the broker's words
 */
export async function withSecondAdmin<T>(
  options: ClientOptions,
  task: (admin: Admin) => Promise<T>,
  retries = 0,
): Promise<T> {
  const admin = new Admin({
    clientId: 'spool-cli',
    bootstrapBrokers: bootstrapBrokersOf(options),
    retries,
  })
  try {
    return await task(admin)
  } catch (error) {
    throw new CommandFailure(reasonOf(error), undefined, { cause: error })
  } finally {
    await admin.close()
  }
}

/** The library wraps: one error per broker, per resource, in lists. */
function reasonOf(error: unknown): string {
  const root = rootOf(error)
  if (root instanceof ProtocolError) {
    const text = root['serverErrorMessage'] ?? root.message
    return `${String(text)} (${String(root['apiId'])})`
  }
  return root instanceof Error ? root.message : String(root)
}

function rootOf(error: unknown): unknown {
  if (error instanceof MultipleErrors && error.errors[0] !== undefined) {
    return rootOf(error.errors[0])
  }
  if (error instanceof GenericError && error.cause !== undefined) return rootOf(error.cause)
  return error
}
