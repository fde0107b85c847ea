import type { GroupClient } from '../../../broker/groups/classic/classic-group-requests.ts'
import type { Exchange } from '../handler.ts'

/** Who sent the request, as DescribeGroups shows it. */
export function groupClientOf({
  clientId,
  connection,
}: Pick<Exchange, 'clientId' | 'connection'>): GroupClient {
  return { clientId: clientId ?? '', clientHost: `/${connection.remoteAddress}` }
}
