// Memories in the cache that hubs share: read from it, never stale, never shown to those who may not see them.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@redis/client';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type RedisServer, startRedis } from '../../../scripts/engines/index.ts';
import { describeEngine } from '../../../test/engines/suites.ts';
import { type App, openApp } from '../../../test/support/open-app.ts';
import { limits } from '../../kernel/limits.ts';

describeEngine('redis', () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
    // A Redis that just started keeps nothing that changes until every hub has had time to come back to it.
    await using app = await openApp({ engines: { redis: { url: redis.url, prefix: 'test:' } } });
    const memory_id = await app.store('Is anything kept yet?');
    await vi.waitFor(
      async () => {
        await app.call('retrieve_memory', { memory_id });
        expect(await copiesOf('kept yet')).toBe(1);
      },
      { timeout: 2 * limits.shared_cache_settle_ms, interval: 500 },
    );
  });
  afterAll(() => redis.stop());

  const open = (data_dir: string): Promise<App> =>
    openApp({ data_dir, engines: { redis: { url: redis.url, prefix: 'test:' } } });

  /** How many cached memories say this. */
  async function copiesOf(text: string): Promise<number> {
    const client = await createClient({ url: redis.url }).connect();
    const keys = await client.keys('*');
    const texts: string[] = [];
    for (const key of keys) {
      const kind = await client.type(key);
      texts.push(kind === 'hash' ? JSON.stringify(await client.hGetAll(key)) : String(await client.get(key)));
    }
    await client.close();
    return texts.filter((kept) => kept.includes(text)).length;
  }

  test('two processes on one store read from the cache and see each change at once', async () => {
    const data_dir = mkdtempSync(join(tmpdir(), 'haivemind-hot-'));
    {
      await using writer = await open(data_dir);
      await using reader = await open(data_dir);
      const memory_id = await writer.store('The gateway listens on 8443');
      for (const _ of [1, 2]) {
        const { content } = await reader.call('retrieve_memory', { memory_id });
        expect(content).toBe('The gateway listens on 8443');
      }
      expect(await copiesOf('listens on 8443')).toBe(1);
      for (const port of [8444, 8445, 8446]) {
        await writer.call('update_memory', { memory_id, content: `The gateway listens on ${port}` });
        const { content } = await reader.call('retrieve_memory', { memory_id });
        expect(content).toBe(`The gateway listens on ${port}`);
      }
      expect(await reader.refusal('retrieve_memory', { memory_id }, { user: 'bob' })).toMatchObject({
        code: 'not_found',
      });
      await writer.call('delete_memory', { memory_id });
      expect(await reader.refusal('retrieve_memory', { memory_id })).toMatchObject({ code: 'not_found' });
      await writer.call('recover_deleted_memory', { memory_id });
      await reader.call('retrieve_memory', { memory_id });
      await writer.call('delete_memory', { memory_id, hard_delete: true });
      expect(await reader.refusal('retrieve_memory', { memory_id })).toMatchObject({ code: 'not_found' });
      expect(await copiesOf('gateway listens')).toBe(0);
    }
    rmSync(data_dir, { recursive: true, force: true });
  });

  test('a change that fails leaves the memory as it was, and readable from the cache again', async () => {
    await using app = await openApp({ engines: { redis: { url: redis.url, prefix: 'test:' } } });
    const memory_id = await app.store('One thing');
    await app.store('Another thing');
    expect(await app.refusal('update_memory', { memory_id, content: 'Another thing' })).toMatchObject({
      code: 'conflict',
    });
    for (const _ of [1, 2])
      expect(await app.call('retrieve_memory', { memory_id })).toMatchObject({ content: 'One thing' });
    expect(await copiesOf('One thing')).toBe(1);
  });
});
