import { type Admin, Connection, FindCoordinatorKeyTypes, Writer } from '@platformatic/kafka'
import {
  type Api,
  type Decoded,
  decoderOf,
  type Encodable,
  encoderOf,
  Reader,
  Writer as WireWriter,
} from '../../wire/kafka/codec.ts'

/**
 * Asks the coordinator of a group what no client library has a method for: the library only carries
 * our bytes.
 * @param version a flexible one
 * @returns null when the group has no coordinator
 */
export async function askCoordinator<A extends Api>(
  admin: Admin,
  group: string,
  api: A,
  version: number,
  request: Encodable<A['request']>,
): Promise<Decoded<A['response']> | null> {
  const keyType = FindCoordinatorKeyTypes.GROUP
  const [coordinator] = await admin.findCoordinator({ keyType, keys: [group] })
  if (coordinator === undefined) return null
  const connection = new Connection('spool-cli')
  await connection.connect(coordinator.host, coordinator.port)
  try {
    return await send(connection, api, version, request)
  } finally {
    await connection.close()
  }
}

function send<A extends Api>(
  connection: Connection,
  api: A,
  version: number,
  request: Encodable<A['request']>,
): Promise<Decoded<A['response']>> {
  const writer = new WireWriter()
  encoderOf(api.request)(version)(writer, request)
  return new Promise((resolve, reject) => {
    connection.send<Decoded<A['response']>>(
      api.key,
      version,
      () => Writer.create().append(Buffer.concat(writer.finish())),
      (_correlationId, _key, _version, { buffer, position }) => {
        const reader = new Reader(buffer.slice(position))
        return decoderOf(api.response)(version)(reader) as Decoded<A['response']>
      },
      true,
      true,
      (error, answer) => {
        if (error === null && answer !== undefined) resolve(answer)
        else reject(error ?? new Error('the broker gave no answer'))
      },
    )
  })
}
