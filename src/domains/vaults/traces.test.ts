// Values leave no trace: not in a table, a file of the store, a backup or an error, in none of the forms they may take.
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type App, openApp } from '../../../test/support/open-app.ts';

let app: App;
beforeEach(async () => {
  app = await openApp();
});
afterEach(() => app[Symbol.asyncDispose]());

const why = { audit_reason: 'a test' };

/** As written, and as encodings that programs use on the way. */
function formsOf(value: string): string[] {
  const bytes = Buffer.from(value);
  const hex = bytes.toString('hex');
  return [
    value,
    JSON.stringify(value).slice(1, -1),
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('base64url'),
    hex,
    hex.toUpperCase(),
    encodeURIComponent(value),
  ];
}

async function everyTable(): Promise<string> {
  const dumps: string[] = [];
  for (const table of await app.tables()) {
    const rows = await app.rows(`select * from "${table}"`);
    dumps.push(
      JSON.stringify(rows, (_, cell: unknown) => {
        if (typeof cell === 'bigint') return String(cell);
        return cell instanceof Uint8Array ? Buffer.from(cell).toString('latin1') : cell;
      }),
    );
  }
  return dumps.join('\n');
}

function everyFile(folder: string): string {
  return readdirSync(folder, { recursive: true })
    .map((name) => join(folder, String(name)))
    .filter((path) => statSync(path).isFile())
    .map((path) => readFileSync(path, 'latin1'))
    .join('\n');
}

test('of 20 random values nothing is found, wherever they went', async () => {
  const values = Array.from({ length: 20 }, () => `s3cr/t+${crypto.randomUUID()} "ä"`);
  const { vault_id } = await app.call('create_vault', { name: 'Things' });
  const said: string[] = [];
  for (const [i, value] of values.entries()) {
    const named = { vault_id, key: `k${i}` };
    said.push(JSON.stringify(await app.call('store_in_vault', { ...named, value, metadata: { also: value } })));
    expect((await app.call('retrieve_from_vault', { ...named, ...why })).value).toBe(value);
    said.push(JSON.stringify(await app.refusal('store_in_vault', { ...named, key: 'not a key', value })));
    said.push(JSON.stringify(await app.refusal('store_in_vault', { ...named, value }, { user: 'bob' })));
    said.push(JSON.stringify(await app.refusal('store_in_vault', { ...named, value, expires_at: '2020-01-01' })));
    if (i % 3 === 0) await app.call('delete_vault_secret', named);
  }
  await app.call('rotate_vault_key', { vault_id });
  said.push(JSON.stringify(await app.call('list_vault_secrets', { vault_id, include_deleted: true })));
  said.push(JSON.stringify(await app.call('vault_audit_log', { vault_id })));
  said.push(JSON.stringify(await app.call('search_memories', { query: values[0] })).replaceAll(/"query":"[^,]*/g, ''));
  const backup = join(app.data_dir, 'copy.db');
  await app.runtime.backup(backup);
  const places = { tables: await everyTable(), files: everyFile(app.data_dir), answers: said.join('\n') };
  rmSync(backup);
  const found = values.flatMap((value) =>
    formsOf(value).flatMap((form) =>
      Object.entries(places).flatMap(([where, text]) =>
        text.includes(form) || text.includes(Buffer.from(form).toString('latin1')) ? [where] : [],
      ),
    ),
  );
  expect(found).toEqual([]);
  for (const text of [places.tables, places.answers]) expect(text).toContain(vault_id);
});

test('a value that does not open is a failure on the vault’s own trail, and nothing of it is told', async () => {
  const { vault_id } = await app.call('create_vault', { name: 'Things' });
  await app.call('store_in_vault', { vault_id, key: 'k', value: 'v' });
  await app.rows('update vault_secret_versions set sealed = sealed_metadata');
  expect(await app.refusal('retrieve_from_vault', { vault_id, key: 'k', ...why })).toMatchObject({
    code: 'storage_corrupt',
    details: { vault_id, key: 'k', version: 1 },
  });
  const { entries } = await app.call('vault_audit_log', { vault_id });
  expect(entries[0]).toMatchObject({ action: 'retrieve_from_vault', result: 'failed', reason: 'a test' });
});
