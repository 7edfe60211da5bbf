// Vectors follow the model: turning it on makes them for what was stored without it.
import { expect, test, vi } from 'vitest';
import { openApp } from '../../../../test/support/open-app.ts';

test('a store that was kept without vectors gets them once a model is configured', async () => {
  const without = await openApp({ embedding: 'none' });
  await without.store('the ingress closes idle connections after ten seconds');
  await without.runtime.close();
  await using app = await openApp({ embedding: 'local', role: 'stdio', data_dir: without.data_dir });
  await vi.waitFor(async () => expect(await app.rows('select count(*) as n from memory_vectors')).toEqual([{ n: 1 }]), {
    timeout: 30_000,
  });
  const answer = await app.call('search_memories', { query: 'load balancer drops sleeping sockets' });
  expect(answer).toMatchObject({ mode: 'hybrid', results: [{ content: expect.stringContaining('ingress') }] });
});
