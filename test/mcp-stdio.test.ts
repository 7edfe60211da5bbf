// MCP over a raw pair of streams: what a client library would hide.
import { PassThrough } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import { limits } from '../src/kernel/limits.ts';
import { newSessionName } from '../src/surfaces/mcp/handshake.ts';
import { type StdioOptions, serveStdioConnection } from '../src/surfaces/mcp/stdio.ts';
import type { Runtime } from '../src/surfaces/runtime.ts';
import { type TinyRuntime, tinyRuntime } from './support/tiny-runtime.ts';

interface Message {
  readonly id?: number | string | null;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: { code: number; message: string };
}

function open(tiny: TinyRuntime = tinyRuntime(), options: Partial<StdioOptions> = {}) {
  const input = new PassThrough();
  const output = new PassThrough();
  const messages: Message[] = [];
  let rest = '';
  output.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split('\n');
    rest = lines.pop() ?? '';
    messages.push(...lines.map((line) => JSON.parse(line) as Message));
  });
  const connection = serveStdioConnection(tiny.runtime, { input, output, ...options });
  return {
    ...connection,
    tiny,
    messages,
    say: (message: object) => void input.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`),
    sayText: (text: string) => void input.write(text),
    end: () => void input.end(),
    answer: async (id: number | string | null): Promise<Message> => {
      await expect.poll(() => messages.some((message) => message.id === id)).toBe(true);
      return messages.find((message) => message.id === id)!;
    },
  };
}

const initialize = {
  id: 0,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '1' } },
};
const call = (id: number, name: string, input: object, meta: object = {}): object => ({
  id,
  method: 'tools/call',
  params: { name, arguments: input, _meta: meta },
});

describe('a stdio connection', () => {
  it('answers everything that was asked before its input ended, then closes', async () => {
    const stdio = open();
    stdio.say(initialize);
    stdio.say(call(1, 'wait_for_gate', { gate: 'late' }));
    await stdio.tiny.waiting('late');
    stdio.end();
    stdio.tiny.openGate('late');
    await stdio.closed;
    expect(stdio.messages.find((message) => message.id === 1)?.result).toMatchObject({
      structuredContent: { opened: 'late' },
    });
  });

  it('reports progress only forward and only where it was asked for', async () => {
    const stdio = open();
    stdio.say(initialize);
    stdio.say(call(1, 'wait_for_gate', { gate: 'none' }, { progressToken: 'p' }));
    stdio.say(call(2, 'wait_for_gate', { gate: 'none' }));
    stdio.end();
    await stdio.closed;
    const progress = stdio.messages.filter((message) => message.method === 'notifications/progress');
    expect(progress.map((message) => [message.params?.progressToken, message.params?.progress])).toEqual([
      ['p', 1],
      ['p', 2],
    ]);
  });

  it('answers an overlong line with an error and keeps serving', async () => {
    const stdio = open();
    stdio.say(initialize);
    stdio.sayText(
      `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"x":"${'y'.repeat(limits.stdio_line_max_bytes)}"}}\n`,
    );
    stdio.say(call(8, 'list_notes', {}));
    expect((await stdio.answer(7)).error?.message).toContain('longer than');
    expect((await stdio.answer(8)).result).toMatchObject({ structuredContent: { total: 0 } });
    await stdio.close();
  });

  it('answers a depth bomb and garbage with errors and keeps serving', async () => {
    const stdio = open();
    stdio.say(initialize);
    stdio.sayText(`{"jsonrpc":"2.0","id":3,"method":"tools/call","params":${'['.repeat(100_000)}\n`);
    stdio.sayText('GET / HTTP/1.1\n\n[]\n{"id":4}\n');
    stdio.say(call(5, 'list_notes', {}));
    expect((await stdio.answer(3)).error?.message).toContain('nested deeper');
    expect((await stdio.answer(5)).result).toBeDefined();
    expect(stdio.messages.filter((message) => message.id === null && message.error?.code === -32_700)).toHaveLength(1);
    await stdio.close();
  });

  it('stops a call that the client cancels', async () => {
    const stdio = open();
    stdio.say(initialize);
    stdio.say(call(1, 'wait_for_gate', { gate: 'cancelled' }));
    await stdio.tiny.waiting('cancelled');
    stdio.say({ method: 'notifications/cancelled', params: { requestId: 1 } });
    await expect.poll(() => stdio.tiny.records.at(-1)?.error_code).toBe('cancelled');
    stdio.end();
    await stdio.closed;
    expect(stdio.messages.some((message) => message.id === 1)).toBe(false);
  });

  it('takes agent and toolsets from its options', async () => {
    const stdio = open(tinyRuntime(), { agent_id: 'ops-bot', toolsets: new Set(['testing']) });
    stdio.say(initialize);
    stdio.say({ id: 1, method: 'tools/list' });
    stdio.say(call(2, 'wait_for_gate', { gate: 'none' }));
    expect((await stdio.answer(2)).result).toMatchObject({ structuredContent: { agent_id: 'ops-bot' } });
    expect((await stdio.answer(1)).result).toMatchObject({
      tools: [{ name: 'wait_for_gate' }, { name: 'search_tools' }, { name: 'run_tool' }],
    });
    await stdio.close();
  });

  it('says of a session it took over that its client is there, before it calls anything; of a new one not', async () => {
    const session_name = newSessionName();
    const said: [boolean, string, unknown][] = [];
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    try {
      const opened = [true, false].map((resumed) => {
        const stillHere: Runtime['stillHere'] = async ({ session: { key, client_name } }) =>
          void said.push([resumed, key, client_name]);
        return open(tinyRuntime(undefined, { stillHere }), { resumed, session_name });
      });
      for (const stdio of opened) {
        stdio.say(initialize);
        stdio.say({ method: 'notifications/initialized' });
        stdio.say({ id: 1, method: 'ping' });
        await stdio.answer(1);
      }
      vi.advanceTimersByTime(limits.agent_connection_heartbeat_ms);
      expect(said).toEqual([[true, expect.stringMatching(/^ses_/), 'raw']]);
      opened[0]?.say(call(2, 'wait_for_gate', { gate: 'none' }));
      const { structuredContent } = (await opened[0]?.answer(2))?.result ?? {};
      expect(structuredContent).toMatchObject({ session_key: said[0]?.[1] });
      for (const stdio of opened) await stdio.close();
    } finally {
      vi.useRealTimers();
    }
  });

  it('survives more requests at once than it lets in', async () => {
    const stdio = open();
    stdio.say(initialize);
    for (let id = 1; id <= 2_000; id++) stdio.say(call(id, 'store_note', { content: `note ${id}` }));
    stdio.end();
    await stdio.closed;
    expect(stdio.messages.filter((message) => message.result?.structuredContent !== undefined)).toHaveLength(2_000);
    expect(stdio.tiny.notes.size).toBe(2_000);
  });

  it('ends when the client no longer reads', async () => {
    const output = new PassThrough();
    const stdio = open(tinyRuntime(), { output });
    output.destroy(new Error('EPIPE'));
    await stdio.closed;
  });
});
