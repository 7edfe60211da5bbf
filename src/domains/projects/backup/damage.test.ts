// Every byte of a backup counts: one that is turned, left out or added anywhere is found, and the part it is in is named.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type App, openApp } from '../../../../test/support/open-app.ts';
import { backupFolder, fileOf, makeHarbour } from '../../../../test/support/project-backups.ts';
import { manifestSchema } from './manifest.ts';

let app: App;
let project_id: string;
beforeAll(async () => {
  app = await openApp();
  ({ project_id } = await makeHarbour(app));
});
afterAll(() => app[Symbol.asyncDispose]());

/** What is said of a file with these bytes, by the operation that would restore it. */
async function saidOf(backup_id: string, file: string, bytes: Uint8Array): Promise<{ code: string; part: unknown }> {
  writeFileSync(join(backupFolder(app), file), bytes);
  const { code, details } = await app.refusal('restore_project', { backup_id, restore_mode: 'overwrite' });
  return { code, part: details?.part };
}

/** The part a position of a file that is not sealed lies in. */
function partAt(bytes: Buffer, position: number): string {
  const [first = 0, second = 0, third = 0] = lineEnds(bytes);
  if (position <= first) return 'header';
  // Its checksum is a line of its own.
  if (position <= third) return 'manifest';
  const manifest = manifestSchema.parse(JSON.parse(bytes.subarray(first + 1, second).toString('utf8')));
  let end = third + 1;
  for (const { name, stored_bytes } of manifest.parts) {
    end += stored_bytes;
    if (position < end) return name;
  }
  return 'end';
}

function lineEnds(bytes: Buffer): number[] {
  const ends: number[] = [];
  for (let at = bytes.indexOf(10); ends.length < 3; at = bytes.indexOf(10, at + 1)) ends.push(at);
  return ends;
}

test('a byte that is turned', async () => {
  const { backup_id, file } = await app.call('backup_project', { project_id });
  const bytes = fileOf(app, file);
  await fc.assert(
    fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (position, mask) => {
      const turned = Buffer.from(bytes);
      turned[position] = (turned[position] ?? 0) ^ mask;
      const said = await saidOf(backup_id, file, turned);
      expect(said).toEqual({ code: 'storage_corrupt', part: partAt(bytes, position) });
    }),
    { numRuns: 150 },
  );
  writeFileSync(join(backupFolder(app), file), bytes);
  expect(await app.call('restore_project', { backup_id })).toMatchObject({ restored: true });
});

test('a file that ends early, and one that goes on', async () => {
  const { backup_id, file } = await app.call('backup_project', { project_id });
  const bytes = fileOf(app, file);
  await fc.assert(
    fc.asyncProperty(fc.nat(bytes.length - 1), async (length) => {
      const said = await saidOf(backup_id, file, bytes.subarray(0, length));
      expect(said).toEqual({ code: 'storage_corrupt', part: partAt(bytes, length) });
    }),
    { numRuns: 100 },
  );
  const longer = await saidOf(backup_id, file, Buffer.concat([bytes, Buffer.from('x')]));
  expect(longer).toEqual({ code: 'storage_corrupt', part: 'end' });
});

test('the same of a sealed file', async () => {
  const { backup_id, file } = await app.call('backup_project', { project_id, encryption: 'keyring' });
  const bytes = fileOf(app, file);
  const [, , head = 0] = lineEnds(bytes);
  await fc.assert(
    fc.asyncProperty(fc.nat(bytes.length - 1), fc.boolean(), async (position, cut) => {
      const turned = Buffer.from(bytes);
      turned[position] = (turned[position] ?? 0) ^ 1;
      const said = await saidOf(backup_id, file, cut ? bytes.subarray(0, position) : turned);
      const part = position <= head ? 'header' : expect.stringMatching(/^[a-z_]+$/);
      expect(said).toEqual({ code: 'storage_corrupt', part });
    }),
    { numRuns: 150 },
  );
});

test('an increment whose base is another file', async () => {
  const base = await app.call('backup_project', { project_id });
  const upon = { backup_type: 'incremental', base_backup_id: base.backup_id };
  const added = await app.call('backup_project', { project_id, ...upon });
  const other = await app.call('backup_project', { project_id });
  const bytes = fileOf(app, base.file);
  writeFileSync(join(backupFolder(app), base.file), fileOf(app, other.file));
  expect(await app.refusal('restore_project', { backup_id: added.backup_id })).toMatchObject({ code: 'not_found' });
  const turned = Buffer.from(bytes);
  turned[bytes.length - 30] = (turned[bytes.length - 30] ?? 0) ^ 1;
  writeFileSync(join(backupFolder(app), base.file), turned);
  expect(await app.refusal('restore_project', { backup_id: added.backup_id })).toMatchObject({
    code: 'storage_corrupt',
  });
});
