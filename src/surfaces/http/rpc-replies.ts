// Answers on MCP paths that are not the SDK's: clients there read JSON-RPC, also in refusals.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { NodeIncomingMessageLike, NodeServerResponseLike } from '@modelcontextprotocol/node';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ErrorBody } from '../../kernel/errors.ts';

/** Codes of JSON-RPC and of the Streamable HTTP transport. */
export const RPC = {
  parse: -32_700,
  invalid: -32_600,
  invalid_params: -32_602,
  refused: -32_000,
  no_session: -32_001,
  internal: -32_603,
} as const;

export async function refuseRpc(
  request: FastifyRequest,
  reply: FastifyReply,
  status: number,
  code: number,
  message: string,
  data?: ErrorBody,
): Promise<void> {
  const error = data === undefined ? { code, message } : { code, message, data };
  const text = JSON.stringify({ jsonrpc: '2.0', error, id: idOf(request.body) });
  await reply.code(status).header('content-type', 'application/json; charset=utf-8').send(text);
}

/** Node's own types; the SDK declares look-alikes that differ in how they spell optional fields. */
export function asSdkRequest(raw: IncomingMessage): NodeIncomingMessageLike {
  return raw as unknown as NodeIncomingMessageLike;
}

export function asSdkResponse(raw: ServerResponse): NodeServerResponseLike {
  return raw as unknown as NodeServerResponseLike;
}

/** The SDK asks to keep connections of event streams, also where this hub is about to go and says `close`. */
export function leaveConnectionToNode(response: Response): Response {
  response.headers.delete('connection');
  return response;
}

/** What the guards set on the reply, for an answer that the SDK writes. */
export function copyHeaders(reply: FastifyReply): void {
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    if (value !== undefined) reply.raw.setHeader(name, value);
  }
}

function idOf(body: unknown): string | number | null {
  if (typeof body !== 'object' || body === null || !('id' in body)) return null;
  const { id } = body;
  return typeof id === 'string' || typeof id === 'number' ? id : null;
}
