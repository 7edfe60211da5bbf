// The store of a run is the one its project is for. A run that took SQLite for PostgreSQL would pass and show nothing.
import { expect, it } from 'vitest';
import { openApp } from '../support/open-app.ts';

const onPostgres = process.env.HAIVEMIND_TEST_ENGINE === 'postgres';

it('keeps what it stores in the engine of this project', async () => {
  await using app = await openApp();
  const memory_id = await app.store('The pump in hall 3 is serviced in March.');
  expect(await app.rows('select memory_id from memories')).toEqual([{ memory_id }]);
  const asked = onPostgres ? 'select version() as version' : 'select sqlite_version() as version';
  expect(await app.rows(asked)).toEqual([{ version: expect.stringMatching(onPostgres ? /^PostgreSQL/ : /^3\./) }]);
});
