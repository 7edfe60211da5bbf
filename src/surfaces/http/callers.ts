// The caller behind an HTTP request, as far as its headers and connection tell.
import type { FastifyRequest } from 'fastify';
import type { Transport } from '../../kernel/operation.ts';
import { agentNameOf, type CallOrigin } from '../mcp/sessions.ts';
import type { Runtime } from '../runtime.ts';

/** The guards let only the machine's owner through, so the principal is the local one. */
export function originOf(
  runtime: Runtime,
  request: FastifyRequest,
  transport: Transport,
  connection_id?: string,
): CallOrigin {
  const agent_id = agentNameOf(header(request, 'x-haivemind-agent'));
  const session_name = header(request, 'x-haivemind-session');
  const project = header(request, 'x-haivemind-project');
  const remote_address = request.socket.remoteAddress;
  return {
    transport,
    principalFor: (agent) => runtime.localPrincipal(agent),
    ...(agent_id === undefined ? {} : { agent_id }),
    ...(session_name === undefined ? {} : { session_name }),
    ...(connection_id === undefined ? {} : { connection_id }),
    ...(remote_address === undefined ? {} : { remote_address }),
    ...(project === undefined ? {} : { project }),
  };
}

function header(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}
