// A Messages API on loopback that answers by a script: enough for Claude Code to run tools without a model.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ToolCall {
  /** Name as the client offers it, for example `mcp__haivemind__store_memory`. */
  readonly name: string;
  readonly input: Readonly<Record<string, unknown>>;
}

export interface MessagesRequest {
  readonly stream?: boolean;
  readonly tools?: readonly { readonly name: string; readonly description?: string }[];
  readonly messages: readonly { readonly role: string; readonly content: unknown }[];
}

export interface MessagesApi {
  readonly url: string;
  /** Requests that offered tools, oldest first. */
  readonly requests: readonly MessagesRequest[];
  /** Text of every tool result the client sent back. */
  toolResults(): string[];
  close(): Promise<void>;
}

/** Calls the tools one after the other, then says that it is done. */
export async function startMessagesApi(calls: readonly ToolCall[]): Promise<MessagesApi> {
  const requests: MessagesRequest[] = [];
  const server = createServer((request, response) => void answer(request, response, calls, requests));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    toolResults: () => resultsIn(requests.at(-1)).map(textOf),
    close: () => stop(server),
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  calls: readonly ToolCall[],
  requests: MessagesRequest[],
): Promise<void> {
  const body = await readJson(request);
  const path = request.url?.split('?', 1)[0];
  if (request.method !== 'POST' || path !== '/v1/messages' || !body) {
    // Everything else a client asks for on its way (token counts, settings) may be missing.
    response.writeHead(path === '/v1/messages/count_tokens' ? 200 : 404, { 'content-type': 'application/json' });
    response.end(
      path === '/v1/messages/count_tokens'
        ? '{"input_tokens":1}'
        : '{"type":"error","error":{"type":"not_found_error","message":"not here"}}',
    );
    return;
  }
  const offered = new Set((body.tools ?? []).map((tool) => tool.name));
  if (offered.size > 0) requests.push(body);
  const next = calls[resultsIn(body).length];
  const call = next && offered.has(next.name) ? next : undefined;
  if (body.stream) streamMessage(response, call);
  else {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify({
        ...MESSAGE,
        content: [call ? toolUse(call) : DONE],
        stop_reason: call ? 'tool_use' : 'end_turn',
      }),
    );
  }
}

const DONE = { type: 'text', text: 'done' } as const;
const MESSAGE = {
  id: 'msg_scripted',
  type: 'message',
  role: 'assistant',
  model: 'scripted',
  stop_sequence: null,
  usage: { input_tokens: 1, output_tokens: 1 },
};

let counter = 0;
function toolUse(call: ToolCall): object {
  counter++;
  return { type: 'tool_use', id: `toolu_scripted_${counter}`, name: call.name, input: call.input };
}

function streamMessage(response: ServerResponse, call: ToolCall | undefined): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const send = (type: string, fields: object): void =>
    void response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`);
  send('message_start', { message: { ...MESSAGE, content: [], stop_reason: null } });
  if (call) {
    send('content_block_start', { index: 0, content_block: { ...toolUse(call), input: {} } });
    send('content_block_delta', {
      index: 0,
      delta: { type: 'input_json_delta', partial_json: JSON.stringify(call.input) },
    });
  } else {
    send('content_block_start', { index: 0, content_block: { type: 'text', text: '' } });
    send('content_block_delta', { index: 0, delta: { type: 'text_delta', text: DONE.text } });
  }
  send('content_block_stop', { index: 0 });
  send('message_delta', {
    delta: { stop_reason: call ? 'tool_use' : 'end_turn', stop_sequence: null },
    usage: { output_tokens: 1 },
  });
  send('message_stop', {});
  response.end();
}

function resultsIn(body: MessagesRequest | undefined): unknown[] {
  const blocks = (body?.messages ?? []).flatMap((message) =>
    Array.isArray(message.content) ? (message.content as unknown[]) : [],
  );
  return blocks
    .filter((block) => (block as { type?: string }).type === 'tool_result')
    .map((block) => (block as { content?: unknown }).content);
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.map((block: { text?: string }) => block.text ?? '').join('\n');
}

async function readJson(request: IncomingMessage): Promise<MessagesRequest | undefined> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  try {
    return JSON.parse(text) as MessagesRequest;
  } catch {
    return undefined;
  }
}

function stop(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
