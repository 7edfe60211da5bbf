// The caller behind an HTTP request: who it proved to be, and what its headers say where the credential leaves it open.
import type { FastifyRequest } from 'fastify';
import { MACHINE_ID_RULE, MACHINE_ID_SHAPE } from '../../config/schema.ts';
import { failure } from '../../kernel/errors.ts';
import type { Credential, Principal, Transport } from '../../kernel/operation.ts';
import { principalOf, type Sender } from '../mcp/sender.ts';
import { agentNameOf, type CallOrigin } from '../mcp/sessions.ts';
import type { Identity, Runtime } from '../runtime.ts';
import { withoutMapping } from './guards.ts';
import { callerOf } from './identify.ts';

/** Throws `invalid_input` for a header that names no machine. */
export function originOf(
  runtime: Runtime,
  request: FastifyRequest,
  transport: Transport,
  connection_id?: string,
): CallOrigin {
  const sender = senderOfRequest(runtime, request);
  const agent_id = agentNameOf(header(request, 'x-haivemind-agent'));
  const session_name = header(request, 'x-haivemind-session');
  const project = header(request, 'x-haivemind-project');
  const remote_address = request.socket.remoteAddress;
  return {
    transport,
    principalFor: (agent) => principalOf(sender, agent),
    ...(agent_id === undefined ? {} : { agent_id }),
    ...(session_name === undefined ? {} : { session_name }),
    ...(connection_id === undefined ? {} : { connection_id }),
    ...(remote_address === undefined ? {} : { remote_address }),
    ...(project === undefined ? {} : { project }),
  };
}

/** The principal of a request that is no call of an operation. */
export function principalOfRequest(runtime: Runtime, request: FastifyRequest): Principal {
  const { principalFor, agent_id } = originOf(runtime, request, 'rest');
  return principalFor(agent_id);
}

/** What the request's own credential says, whatever session it goes on with. */
export function senderOfRequest(runtime: Runtime, request: FastifyRequest): Sender {
  const caller = callerOf(request);
  if (!caller) throw failure('unauthenticated', 'This path knows no callers.', 'Use another path.');
  const { identity } = caller;
  if (!identity) {
    const { user_id, agent_id, machine_id, credential } = runtime.localPrincipal();
    return { user_id, default_agent_id: agent_id, machine_id, credential };
  }
  const machine_id = identity.machine_id ?? machineNamed(request) ?? `remote:${addressOf(request)}`;
  const { user_id, agent_id } = identity;
  return { user_id, agent_id, default_agent_id: 'remote', machine_id, credential: limitedTo(identity) };
}

/** The credential with what it fixes, so that rules far from the request know of it. */
function limitedTo({ credential, agent_id, machine_id }: Identity): Credential {
  return {
    ...credential,
    ...(agent_id === undefined ? {} : { agent_id }),
    ...(machine_id === undefined ? {} : { machine_id }),
  };
}

function machineNamed(request: FastifyRequest): string | undefined {
  const name = header(request, 'x-haivemind-machine');
  if (name === undefined || MACHINE_ID_SHAPE.test(name)) return name;
  throw failure(
    'invalid_input',
    `x-haivemind-machine: ${MACHINE_ID_RULE}.`,
    'Send the name of the machine, or leave it out.',
  );
}

function addressOf(request: FastifyRequest): string {
  return withoutMapping(request.socket.remoteAddress ?? 'unknown');
}

function header(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}
