import type { IncomingMessage, ServerResponse } from 'node:http'
import { fastify } from 'fastify'
import type { HttpServices } from './http-services.ts'

/**
 * `/metrics` for Prometheus, `/livez` (the process answers) and `/readyz` (it should get work).
 * Everything else is an error in JSON.
 */
export async function makeRoutes(
  services: HttpServices,
): Promise<(request: IncomingMessage, response: ServerResponse) => void> {
  const app = fastify()
  app.get('/livez', async () => ({ status: 'live' }))
  app.get('/readyz', async (_request, reply) => {
    const reason = services.notReadyReason()
    if (reason === null) return { status: 'ready' }
    return await reply.code(503).send({ status: 'not ready', reason })
  })
  app.get('/metrics', async (_request, reply) => {
    const { contentType, text } = await services.metrics()
    return await reply.type(contentType).send(text)
  })
  app.setNotFoundHandler(async (request, reply) => {
    const error = `${request.method} ${request.url.split('?')[0]} is not served`
    return await reply.code(404).send({ error, served: ['/livez', '/metrics', '/readyz'] })
  })
  app.setErrorHandler(async (error: { statusCode?: number; message: string }, _request, reply) => {
    const status = error.statusCode ?? 500
    if (status >= 500) services.logger.error('a request failed', { error })
    // What went wrong inside is for the log, not for whoever asks.
    const text = status >= 500 ? 'internal error' : error.message
    return await reply.code(status).send({ error: text })
  })
  await app.ready()
  return (request, response) => app.routing(request, response)
}
