// A store in a fresh place, for tests of storage itself. The caller closes it.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Database, type DatabaseOptions, openDatabase } from '../../src/storage/database.ts';
import { testStore } from './test-store.ts';

/** On the engine of this run; two that name the same `data_dir` share the store. */
export async function openTemporaryDatabase(options: Partial<DatabaseOptions> = {}): Promise<Database> {
  const data_dir = options.data_dir ?? mkdtempSync(join(tmpdir(), 'haivemind-test-'));
  const { postgres, leave } = await testStore(data_dir);
  const database = await openDatabase({
    machine_id: 'test-machine',
    synchronous: 'NORMAL',
    postgres,
    ...options,
    data_dir,
  });
  const leaving: Database = {
    ...database,
    // Closed by whichever of them: the database goes with its last user.
    withTables: <More>() => leaving as unknown as Database<More>,
    async close() {
      await database.close();
      await leave();
    },
  };
  return leaving;
}
