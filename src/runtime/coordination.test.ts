// Hubs on one Redis know of each other.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startRedis } from '../../scripts/engines/index.ts';
import { describeEngine } from '../../test/engines/suites.ts';
import { openApp } from '../../test/support/open-app.ts';

describeEngine('redis', () => {
  test('health names the hubs that are there, and no longer one that ended', async () => {
    await using redis = await startRedis();
    const data_dir = mkdtempSync(join(tmpdir(), 'haivemind-hubs-'));
    const open = (machine_id: string) =>
      openApp({ data_dir, machine_id, role: 'server', engines: { redis: { url: redis.url, prefix: 'test:' } } });
    const said = async (app: Awaited<ReturnType<typeof open>>) =>
      (await app.runtime.health()).checks.find((check) => check.name === 'coordination')?.detail;
    {
      await using one = await open('hub-1');
      {
        await using two = await open('hub-2');
        expect(await said(one)).toContain('hubs: hub-1, hub-2');
        expect(await said(two)).toContain('hubs: hub-1, hub-2');
      }
      expect(await said(one)).toMatch(/hubs: hub-1\b(?!, hub-2)/i);
    }
    rmSync(data_dir, { recursive: true, force: true });
  });
});
