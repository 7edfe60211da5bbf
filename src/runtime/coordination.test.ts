// Stores that share a Redis hear and see nothing of each other.
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type RedisServer, startRedis } from '../../scripts/engines/index.ts';
import { describeEngine } from '../../test/engines/suites.ts';
import { testConfig } from '../../test/support/open-app.ts';
import { openTemporaryDatabase } from '../../test/support/temporary-database.ts';
import type { Database } from '../storage/database.ts';
import { openCoordination } from './coordination.ts';
import { createLog } from './log.ts';

const WAIT = { timeout: 30_000, interval: 50 };

describeEngine('redis', () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.stop());

  test('two stores on one Redis', async () => {
    const stores = [await openTemporaryDatabase(), await openTemporaryDatabase()] as const;
    const open = (store: Database) => {
      const config = testConfig('', { engines: { redis: { url: redis.url, prefix: 'test:' } } });
      return openCoordination(config, store, createLog('silent', {}));
    };
    const [one, again, other] = [await open(stores[0]), await open(stores[0]), await open(stores[1])];
    for (const each of [one, again, other]) await each.announce({});
    const ids = async (of: typeof one) => (await of.members()).map(({ member_id }) => member_id);
    await vi.waitFor(async () => {
      expect(await ids(one)).toHaveLength(2);
      expect(await ids(other)).toHaveLength(1);
    }, WAIT);
    expect(await ids(one)).not.toContain((await ids(other))[0]);
    for (const each of [one, again, other]) await each[Symbol.asyncDispose]();
    for (const store of stores) await store.close();
  });
});
