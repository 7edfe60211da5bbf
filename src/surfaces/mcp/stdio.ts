// MCP over a pair of streams: a process's stdin and stdout, or a connection to the hub's socket.
import type { Readable, Writable } from 'node:stream';
import {
  isJSONRPCNotification,
  isJSONRPCRequest,
  type JSONRPCMessage,
  parseJSONRPCMessage,
  type RequestId,
  serializeMessage,
  type Transport,
} from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { limits } from '../../kernel/limits.ts';
import { jsonDepthExceeds } from '../../kernel/text-safety.ts';
import type { Runtime } from '../runtime.ts';
import { newSessionName } from './handshake.ts';
import { errorLine, idAtEdges, type LineReader, readLines } from './lines.ts';
import { makeServer } from './server.ts';
import type { CallOrigin } from './sessions.ts';
import { createSubscriptions, resourceRefusal, urisListenedTo } from './subscriptions.ts';
import type { Toolsets } from './toolsets.ts';

export interface StdioOptions {
  readonly input: Readable;
  readonly output: Writable;
  readonly toolsets?: Toolsets;
  /** Name of the agent; default: what the client calls itself. */
  readonly agent_id?: string;
  readonly project?: string;
  /** Name of the agent's session, from newSessionName; default: a new one. */
  readonly session_name?: string;
  /** The session was served before, by another hub or another connection. */
  readonly resumed?: boolean;
}

export interface StdioConnection {
  /** Resolves when the other side is gone and everything it asked for was answered. */
  readonly closed: Promise<void>;
  /** Reads nothing new, answers what is in flight within the grace, then ends the connection. */
  close(grace_ms?: number): Promise<void>;
}

/** Levels of the message around a tool's input: message, params, arguments and what a client adds. */
export const ENVELOPE_DEPTH_LEVELS = 6;
const TOO_DEEP = `The message is nested deeper than ${limits.json_depth_max_levels} levels. Flatten the value or store it as text.`;
const PARSE_ERROR = -32_700;
const INVALID_REQUEST = -32_600;
const INVALID_PARAMS = -32_602;
/** Reading stops while so many requests wait, so that a client that only sends cannot fill the memory. */
const IN_FLIGHT_MAX = 256;

/** Serves one connection, in whichever protocol revision the client opens it. */
export function serveStdioConnection(runtime: Runtime, options: StdioOptions): StdioConnection {
  const { promise: closed, resolve: resolveClosed } = Promise.withResolvers<void>();
  const subscriptions = createSubscriptions();
  const transport = createStreamTransport(options, {
    onClosed: resolveClosed,
    refusal(message) {
      const uris = urisListenedTo(message);
      const refusal = resourceRefusal(runtime, uris);
      if (refusal) return `${refusal.message} ${refusal.hint}`;
      for (const uri of uris) void subscriptions.add(uri).catch(() => undefined);
      return undefined;
    },
  });
  const owner = runtime.localPrincipal(options.agent_id);
  const origin: CallOrigin = {
    transport: 'stdio',
    principalFor: (agent_id) => runtime.localPrincipal(agent_id),
    connection_id: options.session_name ?? newSessionName(),
    ...(options.agent_id === undefined ? {} : { agent_id: options.agent_id }),
    ...(options.project === undefined ? {} : { project: options.project }),
  };
  const { toolsets } = options;
  const handle = serveStdio(
    ({ era }) =>
      makeServer(runtime, {
        ...{ origin, toolsets, announce: era, subscriptions, reader: () => owner },
        connected: () => true,
        resumed: options.resumed === true,
      }),
    { transport, onerror: (error) => runtime.log.warn({ error: error.message }, 'MCP over stdio') },
  );
  return {
    closed,
    async close(grace_ms = limits.shutdown_grace_ms) {
      await transport.finish(grace_ms);
      await handle.close();
      await closed;
    },
  };
}

type Streams = Pick<StdioOptions, 'input' | 'output'>;

interface StreamEvents {
  onClosed(): void;
  /** Sees every message first; what it says answers a request instead, as invalid. */
  refusal(message: JSONRPCMessage): string | undefined;
}

interface StreamTransport extends Transport {
  /** Stops reading; resolves when everything that was read is answered, or after the grace. */
  finish(grace_ms: number): Promise<void>;
}

/**
 * The SDK's own stdio transport ends the connection on an overlong line and aborts what is in flight when its input
 * ends; this one answers the line with an error and finishes what was asked first.
 */
function createStreamTransport({ input, output }: Streams, { onClosed, refusal }: StreamEvents): StreamTransport {
  const inFlight = new Set<RequestId>();
  let reader: LineReader | undefined;
  let inputEnded = false;
  let closed = false;
  let finishing = false;
  let onIdle: (() => void) | undefined;

  const transport: StreamTransport = {
    async start() {
      output.on('error', () => void transport.close());
      reader = readLines(input, limits.stdio_line_max_bytes, { onLine, onOverlong, onEnd });
    },
    async send(message: JSONRPCMessage) {
      if (closed) return;
      await write(serializeMessage(message));
      if ('id' in message && !('method' in message)) settle(message.id);
    },
    async finish(grace_ms) {
      reader?.pause();
      finishing = true;
      if (closed || inFlight.size === 0 || grace_ms === 0) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, grace_ms);
        onIdle = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    },
    async close() {
      if (closed) return;
      closed = true;
      reader?.detach();
      input.pause();
      inFlight.clear();
      onIdle?.();
      transport.onclose?.();
      // An empty write is called back after everything written before it.
      if (output.writable) output.write('', () => onClosed());
      else onClosed();
    },
  };

  function write(text: string): Promise<void> {
    return new Promise((resolve) => {
      if (!output.writable) return resolve();
      output.write(text, () => resolve());
    });
  }

  function settle(id: RequestId | undefined): void {
    if (id === undefined) return;
    inFlight.delete(id);
    if (inFlight.size < IN_FLIGHT_MAX && !finishing) reader?.resume();
    if (inFlight.size === 0) onIdle?.();
    closeWhenDone();
  }

  function closeWhenDone(): void {
    if (inputEnded && inFlight.size === 0) void transport.close();
  }

  function onLine(line: string): void {
    const message = readMessage(line);
    if (typeof message === 'string') return void write(message);
    const refused = refusal(message);
    if (refused !== undefined && isJSONRPCRequest(message))
      return void write(errorLine(message.id, INVALID_PARAMS, refused));
    track(message);
    transport.onmessage?.(message);
  }

  function track(message: JSONRPCMessage): void {
    // A listen request stays open for as long as the connection does: nothing to wait for.
    if (isJSONRPCRequest(message) && message.method !== 'subscriptions/listen') {
      inFlight.add(message.id);
      if (inFlight.size >= IN_FLIGHT_MAX) reader?.pause();
    } else if (isJSONRPCNotification(message) && message.method === 'notifications/cancelled') {
      // A cancelled request gets no answer.
      const { requestId } = (message.params ?? {}) as { requestId?: RequestId };
      settle(requestId);
    }
  }

  function onOverlong(head: string, tail: string): void {
    const message = `The line is longer than ${limits.stdio_line_max_bytes} bytes. Send less at once; large material goes through \`haivemind import\`.`;
    void write(errorLine(idAtEdges(head, tail), INVALID_REQUEST, message));
  }

  function onEnd(): void {
    inputEnded = true;
    closeWhenDone();
  }

  return transport;
}

/** The message of a line, or the line that answers where it is none. */
function readMessage(line: string): JSONRPCMessage | string {
  const id = (): ReturnType<typeof idAtEdges> => idAtEdges(line.slice(0, 512), line.slice(-512));
  if (jsonDepthExceeds(line, limits.json_depth_max_levels + ENVELOPE_DEPTH_LEVELS))
    return errorLine(id(), INVALID_REQUEST, TOO_DEEP);
  try {
    return parseJSONRPCMessage(JSON.parse(line));
  } catch (error) {
    const code = error instanceof SyntaxError ? PARSE_ERROR : INVALID_REQUEST;
    return errorLine(id(), code, 'The line is not a JSON-RPC 2.0 message. Send one JSON object a line.');
  }
}
