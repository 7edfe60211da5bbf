// What the server says about itself: health, metrics, its interface, and a page for people who open it in a browser.
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Runtime } from '../runtime.ts';
import { buildOpenApi } from './openapi.ts';

/** Paths an orchestrator may ask without being known; they reveal nothing but a state. */
export const PROBE_PATHS: ReadonlySet<string> = new Set(['/health/live', '/health/ready']);

export function registerService(app: FastifyInstance, runtime: Runtime): void {
  app.get('/health', async (_request, reply) => {
    const report = await runtime.health();
    return sendJson(reply, report.status === 'failed' ? 503 : 200, report);
  });
  app.get('/health/live', async (_request, reply) => sendJson(reply, 200, { status: 'ok' }));
  app.get('/health/ready', async (_request, reply) => {
    const { status } = await runtime.health();
    return sendJson(reply, status === 'failed' ? 503 : 200, { status });
  });
  app.get('/metrics', async (_request, reply) =>
    reply.header('content-type', 'text/plain; version=0.0.4; charset=utf-8').send(await runtime.metrics()),
  );
  let openApi: string | undefined;
  app.get('/openapi.json', async (_request, reply) => {
    openApi ??= JSON.stringify(buildOpenApi(runtime, runtime.executor.operations));
    return reply.header('content-type', 'application/json; charset=utf-8').send(openApi);
  });
  app.get('/', async (request, reply) =>
    reply
      .header('content-type', 'text/plain; charset=utf-8')
      .send(frontPage(runtime, `http://${request.headers.host}`)),
  );
}

function sendJson(reply: FastifyReply, status: number, value: unknown): FastifyReply {
  return reply.code(status).header('content-type', 'application/json; charset=utf-8').send(JSON.stringify(value));
}

function frontPage(runtime: Runtime, url: string): string {
  return `hAIveMind ${runtime.version}: shared memory and coordination for AI agents.

Connect Claude Code:
  claude mcp add --transport http haivemind ${url}/mcp

Interfaces:
  ${url}/mcp           MCP, Streamable HTTP
  ${url}/sse           MCP, legacy HTTP+SSE
  ${url}/api/v1        REST, described by ${url}/openapi.json
  ${url}/health        state of the server
  ${url}/metrics       Prometheus metrics

${runtime.executor.operations.length} tools: ${runtime.executor.operations.map((operation) => operation.name).join(', ')}
`;
}
