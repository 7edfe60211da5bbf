// Nobody begins an empty store beside a hub's store on PostgreSQL without meaning to.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openApp, refusalOf } from '../../test/support/open-app.ts';
import { onPostgres } from '../../test/support/test-store.ts';
import { forgetStoreElsewhere, noteStoreElsewhere } from './store-place.ts';

test('a process without the address of the store is told of it, one with it is not', async () => {
  const data_dir = mkdtempSync(join(tmpdir(), 'haivemind-place-'));
  noteStoreElsewhere(data_dir, 'db.example:5432/haivemind');
  if (!onPostgres) {
    expect(await refusalOf(openApp({ data_dir }))).toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining('db.example:5432/haivemind'),
    });
    forgetStoreElsewhere(data_dir);
  }
  await (await openApp({ data_dir })).runtime.close();
  rmSync(data_dir, { recursive: true, force: true });
});
