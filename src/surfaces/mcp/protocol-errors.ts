// Failures outside tool calls: MCP has JSON-RPC errors for them.
import { ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/server';
import { toErrorBody } from '../../kernel/errors.ts';
import type { Runtime } from '../runtime.ts';

/** Our errors with their hint and as data; anything unforeseen goes to the log and shows no inside. */
export function asProtocolError(runtime: Runtime, error: unknown): ProtocolError {
  const body = toErrorBody(error);
  if (body.code === 'internal') {
    const shown = error instanceof Error ? (error.stack ?? error.message) : String(error);
    runtime.log.error({ error: shown }, 'An MCP request failed unexpectedly.');
    return new ProtocolError(ProtocolErrorCode.InternalError, body.message, body);
  }
  return new ProtocolError(ProtocolErrorCode.InvalidParams, `${body.message} ${body.hint}`, body);
}
