import { describe, expect, it } from 'vitest';
import { createReplay } from './replay.ts';

const line = (message: object): string => JSON.stringify({ jsonrpc: '2.0', ...message });
const initialize = line({ id: 0, method: 'initialize', params: {} });
const initialized = line({ method: 'notifications/initialized' });

function opened(): ReturnType<typeof createReplay> {
  const replay = createReplay();
  expect(replay.opening()).toEqual([]);
  replay.sent(initialize);
  expect(replay.answered(line({ id: 0, result: {} }))).toBe('pass');
  replay.sent(initialized);
  return replay;
}

describe('createReplay', () => {
  it('introduces the client to a new hub and keeps the second answer from it', () => {
    const replay = opened();
    expect(replay.opening()).toEqual([initialize, initialized]);
    expect(replay.answered(line({ id: 0, result: {} }))).toBe('swallow');
    expect(replay.answered(line({ id: 0, result: {} }))).toBe('pass');
  });

  it('gives up on tool calls and asks everything else again', () => {
    const replay = opened();
    const list = line({ id: 1, method: 'tools/list' });
    const listen = line({ id: 2, method: 'subscriptions/listen' });
    const call = line({ id: 3, method: 'tools/call', params: { name: 'store_memory' } });
    for (const sent of [list, listen, call]) replay.sent(sent);
    expect(replay.takeUncertain()).toEqual([3]);
    expect(replay.opening()).toEqual([initialize, initialized, list, listen]);
    expect(replay.answered(line({ id: 1, result: {} }))).toBe('pass');
  });

  it('asks calls of repeatable tools again', () => {
    const replay = opened();
    const search = line({ id: 1, method: 'tools/call', params: { name: 'search_memories' } });
    replay.sent(search);
    replay.sent(line({ id: 2, method: 'tools/call', params: { name: 'delete_memory' } }));
    expect(replay.takeUncertain(new Set(['search_memories']))).toEqual([2]);
    expect(replay.opening()).toEqual([initialize, initialized, search]);
  });

  it('passes the first answer to an initialize the lost hub never answered', () => {
    const replay = createReplay();
    replay.opening();
    replay.sent(initialize);
    expect(replay.takeUncertain()).toEqual([]);
    expect(replay.opening()).toEqual([initialize]);
    expect(replay.answered(line({ id: 0, result: {} }))).toBe('pass');
  });

  it('keeps what the client said while no hub was there, calls included', () => {
    const replay = opened();
    const call = line({ id: 5, method: 'tools/call', params: {} });
    replay.sent(call);
    replay.hold(call);
    expect(replay.takeUncertain()).toEqual([]);
    expect(replay.opening()).toEqual([initialize, initialized, call]);
    expect(replay.takeAll()).toEqual([5]);
  });

  it('repeats subscriptions that still stand', () => {
    const replay = opened();
    const subscribe = (id: number, uri: string): string => line({ id, method: 'resources/subscribe', params: { uri } });
    replay.sent(subscribe(1, 'a'));
    replay.sent(subscribe(2, 'b'));
    replay.answered(line({ id: 1, result: {} }));
    replay.answered(line({ id: 2, result: {} }));
    replay.sent(line({ id: 3, method: 'resources/unsubscribe', params: { uri: 'a' } }));
    replay.answered(line({ id: 3, result: {} }));
    expect(replay.opening()).toEqual([initialize, initialized, subscribe(2, 'b')]);
    expect(replay.answered(line({ id: 2, result: {} }))).toBe('swallow');
  });

  it('forgets a subscription that was refused', () => {
    const replay = opened();
    replay.sent(line({ id: 1, method: 'resources/subscribe', params: { uri: 'foo://bar' } }));
    expect(replay.answered(line({ id: 1, error: { code: -32_602, message: 'no' } }))).toBe('pass');
    expect(replay.opening()).toEqual([initialize, initialized]);
  });

  it('goes on listening where a hub ends in order, and says only once that it listens', () => {
    const replay = opened();
    const listen = line({ id: 'l', method: 'subscriptions/listen' });
    const acknowledged = line({
      method: 'notifications/subscriptions/acknowledged',
      params: { _meta: { 'io.modelcontextprotocol/subscriptionId': 'l' } },
    });
    replay.sent(listen);
    expect(replay.answered(acknowledged)).toBe('pass');
    expect(replay.idle()).toBe(true);
    expect(replay.answered(line({ id: 'l', result: { resultType: 'complete' } }))).toBe('swallow');
    expect(replay.opening()).toEqual([initialize, initialized, listen]);
    expect(replay.answered(acknowledged)).toBe('swallow');
    replay.sent(line({ method: 'notifications/cancelled', params: { requestId: 'l' } }));
    expect(replay.opening()).toEqual([initialize, initialized]);
  });

  it('tells the client that a hub refused to let it listen', () => {
    const replay = opened();
    replay.sent(line({ id: 'l', method: 'subscriptions/listen' }));
    expect(replay.answered(line({ id: 'l', error: { code: -32_602, message: 'no' } }))).toBe('pass');
    expect(replay.opening()).toEqual([initialize, initialized]);
  });

  it('is idle while nothing is asked', () => {
    const replay = opened();
    expect(replay.idle()).toBe(true);
    replay.sent(line({ id: 1, method: 'tools/list' }));
    expect(replay.idle()).toBe(false);
    replay.answered(line({ id: 1, result: {} }));
    expect(replay.idle()).toBe(true);
  });

  it('waits for nothing that was cancelled', () => {
    const replay = opened();
    replay.sent(line({ id: 9, method: 'tools/call', params: {} }));
    replay.sent(line({ method: 'notifications/cancelled', params: { requestId: 9 } }));
    expect(replay.takeAll()).toEqual([]);
  });
});
