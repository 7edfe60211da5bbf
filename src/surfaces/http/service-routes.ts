// What the server says about itself: health, metrics, its interface, and a page for people who open it in a browser.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { HealthCheck, Runtime } from '../runtime.ts';
import type { Phase } from './app.ts';
import { principalOfRequest } from './callers.ts';
import { buildOpenApi } from './openapi.ts';
import { baseUrl } from './protected-resource.ts';

/** Paths an orchestrator may ask without being known; they reveal nothing but a state. */
export const PROBE_PATHS: ReadonlySet<string> = new Set(['/health/live', '/health/ready']);

export function registerService(app: FastifyInstance, runtime: Runtime, phase: () => Phase): void {
  const authorise = (request: FastifyRequest, what: string) =>
    runtime.authorise(principalOfRequest(runtime, request), 'system.read', what);
  app.get('/health', async (request, reply) => {
    await authorise(request, 'health');
    const report = await runtime.health();
    return sendJson(reply, report.status === 'failed' ? 503 : 200, report);
  });
  // The id is random: it tells who knows it that this is the hub they look for, and others nothing.
  app.get('/health/live', async (_request, reply) => sendJson(reply, 200, { status: 'ok', hub_id: runtime.hub_id }));
  app.get('/health/ready', async (_request, reply) => {
    if (phase() !== 'serving') return sendJson(reply, 503, { status: 'draining' });
    const { status } = await readyInTime(runtime);
    // Why not, and where the store is, /health says to those it knows.
    return status === 'failed' ? sendJson(reply, 503, { status }) : sendJson(reply, 200, { status: 'ok' });
  });
  app.get('/metrics', async (request, reply) => {
    await authorise(request, 'metrics');
    return reply.header('content-type', 'text/plain; version=0.0.4; charset=utf-8').send(await runtime.metrics());
  });
  let openApi: string | undefined;
  app.get('/openapi.json', async (_request, reply) => {
    openApi ??= JSON.stringify(buildOpenApi(runtime, runtime.executor.operations));
    return reply.header('content-type', 'application/json; charset=utf-8').send(openApi);
  });
  app.get('/', async (request, reply) =>
    reply
      .header('content-type', 'text/plain; charset=utf-8')
      .send(frontPage(runtime, baseUrl(runtime.identities, request))),
  );
}

/** A store that does not answer is away, whatever its own time-outs are. */
async function readyInTime(runtime: Runtime): Promise<HealthCheck> {
  const late = Promise.withResolvers<HealthCheck>();
  const timer = setTimeout(() => late.resolve(LATE), READY_MAX_MS);
  try {
    return await Promise.race([runtime.ready(), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

const READY_MAX_MS = 2_000;
const LATE: HealthCheck = {
  name: 'store',
  status: 'failed',
  detail: `The store did not answer within ${READY_MAX_MS} ms.`,
  fix: 'Look at the store; this server becomes ready by itself.',
};

function sendJson(reply: FastifyReply, status: number, value: unknown): FastifyReply {
  return reply.code(status).header('content-type', 'application/json; charset=utf-8').send(JSON.stringify(value));
}

function frontPage(runtime: Runtime, url: string): string {
  return `hAIveMind ${runtime.version}: shared memory and coordination for AI agents.

Connect Claude Code:
  claude mcp add --transport http haivemind ${url}/mcp
and from where a token is needed:
  claude mcp add --transport http haivemind ${url}/mcp --header "Authorization: Bearer <token>"

Interfaces:
  ${url}/mcp           MCP, Streamable HTTP
  ${url}/sse           MCP, legacy HTTP+SSE
  ${url}/api/v1        REST, described by ${url}/openapi.json
  ${url}/health        state of the server
  ${url}/metrics       Prometheus metrics
  ${url}/.well-known/oauth-protected-resource   how to authenticate (RFC 9728)

${runtime.executor.operations.length} tools: ${runtime.executor.operations.map((operation) => operation.name).join(', ')}
`;
}
