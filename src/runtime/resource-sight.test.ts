// Who hears of which change.
import { expect, it } from 'vitest';
import { openApp } from '../../test/support/open-app.ts';
import type { Principal } from '../kernel/operation.ts';
import { memoryUri } from './resource-uris.ts';

const ada: Principal = { user_id: 'ada', agent_id: 'tester', machine_id: 'here' };
const bob: Principal = { ...ada, user_id: 'bob' };
const scoped = (principal: Principal, ...scopes: ('memory.read' | 'memory.write')[]): Principal => ({
  ...principal,
  credential: { kind: 'token', admin: false, scopes },
});

it('lets those hear of a memory who may read it, also of its end', async () => {
  await using app = await openApp();
  const { mayReadResource } = app.runtime;
  const solo = memoryUri(await app.store('kept to myself', { scope: 'solo' }));
  const shared = memoryUri(await app.store('for everybody', { scope: 'shared' }));
  const seen = async (who: Principal) => Promise.all([solo, shared].map((uri) => mayReadResource(uri, who)));
  expect(await seen(ada)).toEqual([true, true]);
  expect(await seen(bob)).toEqual([false, true]);
  expect(await seen(scoped(ada, 'memory.write'))).toEqual([false, false]);
  for (const uri of [memoryUri('mem_never'), 'haivemind://memory/%zz', 'file:///etc/passwd', ''])
    expect(await mayReadResource(uri, ada)).toBe(false);
  await app.call('delete_memory', { memory_id: solo.split('/').at(-1) });
  expect(await seen(ada)).toEqual([true, true]);
  expect(await seen(bob)).toEqual([false, true]);
});
