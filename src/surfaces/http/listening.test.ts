// Streams of news: who hears what, and how many one user may hold.
import { expect, it } from 'vitest';
import { limits } from '../../kernel/limits.ts';
import { createListening } from './listening.ts';

const reader = { user_id: 'ada', agent_id: 'a', machine_id: 'm' };
const body = { method: 'subscriptions/listen', params: { notifications: { resourceSubscriptions: ['u:1'] } } };

it('asks for nobody who did not name the resource, and tells nobody who left meanwhile', async () => {
  const asked: string[] = [];
  const gate = Promise.withResolvers<boolean>();
  const listening = createListening({
    mayReadResource(uri) {
      asked.push(uri);
      return gate.promise;
    },
  });
  const heard: unknown[] = [];
  const subscribe = async () => listening.bus.subscribe((event) => void heard.push(event));
  const stop = await listening.as(reader, body, subscribe);
  // Outside of any request nobody is known.
  listening.bus.subscribe((event) => void heard.push(event));
  listening.bus.publish({ kind: 'resource_updated', uri: 'u:2' });
  listening.bus.publish({ kind: 'tools_list_changed' });
  expect(asked).toEqual([]);
  listening.bus.publish({ kind: 'resource_updated', uri: 'u:1' });
  expect(asked).toEqual(['u:1']);
  stop();
  gate.resolve(true);
  await gate.promise;
  await new Promise(setImmediate);
  expect(heard).toEqual([]);
});

it('gives each user room of its own, and takes it back', () => {
  const { enter } = createListening({ mayReadResource: async () => true });
  const leave = Array.from({ length: limits.mcp_sessions_max_count }, () => enter('ada'));
  expect(enter('ada')).toBeUndefined();
  expect(enter('bob')).toBeDefined();
  leave[0]?.();
  expect(enter('ada')).toBeDefined();
  expect(enter('ada')).toBeUndefined();
});
