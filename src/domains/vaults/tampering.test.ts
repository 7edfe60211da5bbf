// What somebody can do who writes to the store behind the program's back: nothing that goes unnoticed.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fixedKeyRing } from '../../../test/support/fixed-keyring.ts';
import { DAY_MS, refusalOf } from '../../../test/support/open-app.ts';
import { type TestStore, testStore } from '../../../test/support/test-store.ts';
import { virtualClock } from '../../kernel/clock.ts';
import type { Principal } from '../../kernel/operation.ts';
import type { Database } from '../../storage/database.ts';
import { openDatabase } from '../../storage/index.ts';
import { type AuditTables, createAudit } from '../audit/index.ts';
import { createIdentity, type TokenTables } from '../identity/index.ts';
import { createVault, destroyVault, rotateVaultKey } from './rules/create.ts';
import { deleteSecret } from './rules/deleting.ts';
import { retrieveSecret, storeSecret } from './rules/secrets.ts';
import { createVaults, type Vaults } from './service.ts';
import type { VaultTables } from './tables.ts';

type Tables = VaultTables & AuditTables;

let data_dir: string;
let place: TestStore;
let store: Database<Tables>;
let keyring: ReturnType<typeof fixedKeyRing>;
let vaults: Vaults;
let clock: ReturnType<typeof virtualClock>;
const ada: Principal = { user_id: 'ada', agent_id: 'tester', machine_id: 'here' };

beforeEach(async () => {
  data_dir = mkdtempSync(join(tmpdir(), 'haivemind-vaults-'));
  place = await testStore(data_dir);
  clock = virtualClock();
  store = (await openDatabase({ data_dir, machine_id: 'here', postgres: place.postgres, clock })).withTables<Tables>();
  keyring = fixedKeyRing();
  vaults = anotherHub();
});
afterEach(async () => {
  await store.close();
  await place.leave();
  rmSync(data_dir, { recursive: true, force: true });
});

/** One more process on the same store: its own keys in memory. */
function anotherHub(audit = createAudit(store.withTables<AuditTables>()), ring = keyring): Vaults {
  return createVaults({ store, audit, keyring: ring, recovery_days: 30 });
}

async function newVault(): Promise<string> {
  return (await createVault(vaults.deps, ada, { name: 'x', vault_type: 'personal' })).vault_id;
}

const put = (vault_id: string, key: string, value: string) => storeSecret(vaults.deps, ada, { vault_id, key, value });
const get = async (vault_id: string, key: string, version?: number, hub = vaults) =>
  (await retrieveSecret(hub.deps, ada, { vault_id, key, version, audit_reason: 'a test' })).value;
const readings = async () =>
  (await store.db.selectFrom('audit_log').select('seq').where('action', '=', 'retrieve_from_vault').execute()).length;

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

describe('a changed byte', () => {
  test.each(['sealed', 'sealed_metadata'] as const)(
    'anywhere in %s is noticed, and nothing is given out',
    async (column) => {
      const vault_id = await newVault();
      const { secret_id } = await put(vault_id, 'k', 'v');
      const row = await store.db.selectFrom('vault_secret_versions').select(column).executeTakeFirstOrThrow();
      const sealed = row[column];
      if (!sealed) throw new Error('no such column');
      for (let at = 0; at < sealed.length; at++) {
        await store.write((trx) =>
          trx
            .updateTable('vault_secret_versions')
            .set({ [column]: flipped(sealed, at) })
            .where('secret_id', '=', secret_id)
            .execute(),
        );
        expect((await refusalOf(get(vault_id, 'k'))).code).toBe('storage_corrupt');
      }
      expect(await readings()).toBe(0);
    },
  );

  test('anywhere in a wrapped key is noticed, also by a hub that has the key in memory', async () => {
    const vault_id = await newVault();
    await put(vault_id, 'k', 'v');
    expect(await get(vault_id, 'k')).toBe('v');
    const { wrapped } = await store.db.selectFrom('vault_keys').select('wrapped').executeTakeFirstOrThrow();
    for (let at = 0; at < wrapped.length; at++) {
      await store.write((trx) =>
        trx
          .updateTable('vault_keys')
          .set({ wrapped: flipped(wrapped, at) })
          .execute(),
      );
      expect((await refusalOf(get(vault_id, 'k'))).code).toBe('storage_corrupt');
    }
    await store.write((trx) =>
      trx
        .updateTable('vault_keys')
        .set({ wrapped: Buffer.from(wrapped) })
        .execute(),
    );
    expect(await get(vault_id, 'k')).toBe('v');
  });
});

describe('a sealed value does not open in another place', () => {
  async function twoOf(first: readonly [string, string], second: readonly [string, string]) {
    const a = await put(first[0], first[1], 'first');
    const b = await put(second[0], second[1], 'second');
    const row = await store.db
      .selectFrom('vault_secret_versions')
      .select(['sealed', 'sealed_metadata'])
      .where('secret_id', '=', a.secret_id)
      .where('version', '=', a.version)
      .executeTakeFirstOrThrow();
    await store.write((trx) =>
      trx
        .updateTable('vault_secret_versions')
        .set(row)
        .where('secret_id', '=', b.secret_id)
        .where('version', '=', b.version)
        .execute(),
    );
    return refusalOf(get(second[0], second[1], b.version));
  }

  test('another key', async () => {
    const vault_id = await newVault();
    expect((await twoOf([vault_id, 'a'], [vault_id, 'b'])).code).toBe('storage_corrupt');
  });

  test('another version', async () => {
    const vault_id = await newVault();
    expect((await twoOf([vault_id, 'a'], [vault_id, 'a'])).code).toBe('storage_corrupt');
  });

  test('another vault, with its key or without', async () => {
    const [one, other] = [await newVault(), await newVault()];
    expect((await twoOf([one, 'a'], [other, 'a'])).code).toBe('storage_corrupt');
    const { master_key_id, wrapped } = await store.db
      .selectFrom('vault_keys')
      .select(['master_key_id', 'wrapped'])
      .where('vault_id', '=', one)
      .executeTakeFirstOrThrow();
    const moved = { master_key_id, wrapped };
    await store.write((trx) => trx.updateTable('vault_keys').set(moved).where('vault_id', '=', other).execute());
    expect((await refusalOf(get(other, 'a'))).code).toBe('storage_corrupt');
  });
});

describe('without', () => {
  test('its audit row nothing is read, and nothing is written', async () => {
    const vault_id = await newVault();
    await put(vault_id, 'k', 'v');
    const failing = async () => {
      throw new Error('the log cannot be written');
    };
    const blind = anotherHub({ ...createAudit(store.withTables<AuditTables>()), record: failing, append: failing });
    await expect(get(vault_id, 'k', undefined, blind)).rejects.toThrow('the log cannot be written');
    await expect(storeSecret(blind.deps, ada, { vault_id, key: 'k', value: 'w' })).rejects.toThrow('cannot be written');
    await expect(deleteSecret(blind.deps, ada, { vault_id, key: 'k' }, undefined)).rejects.toThrow('cannot be written');
    await expect(destroyVault(blind.deps, ada, vault_id, undefined)).rejects.toThrow('cannot be written');
    expect(await get(vault_id, 'k')).toBe('v');
    expect(await store.db.selectFrom('vault_secret_versions').select('version').execute()).toHaveLength(1);
  });

  test('the master key nothing opens, and the error names the key and the place', async () => {
    const vault_id = await newVault();
    await put(vault_id, 'k', 'v');
    const elsewhere = anotherHub(undefined, fixedKeyRing());
    expect(await get(vault_id, 'k', undefined, elsewhere).catch(({ code }) => code)).toBe('storage_corrupt');
    const lost = anotherHub(undefined, { ...keyring, find: async () => undefined });
    const refused = await refusalOf(get(vault_id, 'k', undefined, lost));
    expect(refused).toMatchObject({ code: 'unavailable', message: expect.stringContaining(keyring.place) });
  });
});

test('a destroyed vault is gone on every hub, also where its key is in memory', async () => {
  const vault_id = await newVault();
  await put(vault_id, 'k', 'v');
  const other = anotherHub();
  expect(await get(vault_id, 'k', undefined, other)).toBe('v');
  expect(await destroyVault(vaults.deps, ada, vault_id, undefined)).toMatchObject({ keys: 1, values: 1 });
  for (const hub of [vaults, other])
    expect((await refusalOf(get(vault_id, 'k', undefined, hub))).code).toBe('not_found');
  // Undoing the mark by hand brings nothing back.
  await store.write((trx) => trx.updateTable('vaults').set({ destroyed_at: null }).execute());
  expect((await refusalOf(get(vault_id, 'k', undefined, other))).code).toBe('not_found');
  expect((await refusalOf(put(vault_id, 'k', 'w'))).code).toBe('storage_corrupt');
});

test('the clean-up destroys what can no longer be restored, and only that', async () => {
  const vault_id = await newVault();
  const keys = Array.from({ length: 230 }, (_, i) => `k${i}`);
  await Promise.all(keys.map((key) => put(vault_id, key, 'v')));
  await Promise.all(keys.slice(0, 220).map((key) => deleteSecret(vaults.deps, ada, { vault_id, key }, undefined)));
  clock.advance(DAY_MS);
  await Promise.all(keys.slice(220, 225).map((key) => deleteSecret(vaults.deps, ada, { vault_id, key }, undefined)));
  clock.advance(29 * DAY_MS);
  expect(await vaults.purge(ada)).toBe(220);
  expect(await vaults.purge(ada)).toBe(0);
  expect(await store.db.selectFrom('vault_secret_versions').select('version').execute()).toHaveLength(10);
  const rows = store.db.selectFrom('audit_log').select('seq').where('action', '=', 'purge_vault_secret');
  expect(await rows.execute()).toHaveLength(220);
  expect((await put(vault_id, 'k0', 'new')).version).toBe(2);
});

test('with no time for recovery a deleted secret is destroyed at once', async () => {
  const vault_id = await newVault();
  await put(vault_id, 'k', 'v');
  const strict = { ...vaults.deps, recovery_days: 0 };
  expect(await deleteSecret(strict, ada, { vault_id, key: 'k' }, undefined)).toBeNull();
  expect(await store.db.selectFrom('vault_secret_versions').select('version').execute()).toEqual([]);
  expect((await put(vault_id, 'k', 'w')).version).toBe(2);
});

describe('a new master key', () => {
  test('wraps every data key again, in batches, and everything stays readable', async () => {
    const ids = await Promise.all(Array.from({ length: 210 }, newVault));
    const [vault_id = ''] = ids;
    await put(vault_id, 'k', 'one');
    await rotateVaultKey(vaults.deps, ada, vault_id);
    await put(vault_id, 'k', 'two');
    const before = await keyring.current();
    const report = await vaults.rotateMasterKey(ada);
    expect(report).toMatchObject({ vault_keys: 211, signing_keys: 0 });
    expect(report.master_key_id).not.toBe(before.id);
    const ringWithoutOld = {
      ...keyring,
      find: async (id: string) => (id === before.id ? undefined : keyring.find(id)),
    };
    const fresh = anotherHub(undefined, ringWithoutOld);
    expect([await get(vault_id, 'k', 1, fresh), await get(vault_id, 'k', 2, fresh)]).toEqual(['one', 'two']);
    expect(await vaults.rotateMasterKey(ada, { resume: true })).toMatchObject({ vault_keys: 0 });
  });

  test('wraps the keys of the token signer too: tokens are signed without the earlier master key', async () => {
    const admin: Principal = { ...ada, credential: { kind: 'local', admin: true } };
    const identityWith = (ring: typeof keyring) =>
      createIdentity({
        store: store.withTables<TokenTables & AuditTables>(),
        keyring: ring,
        audit: createAudit(store.withTables<AuditTables>()),
        settings: { public_url: undefined, issuers: [], tailscale: { enabled: false, socket: '' } },
        onError: (error) => expect(error).toBeUndefined(),
      });
    const request = { user_id: 'bob', admin: false, days: 1 };
    await identityWith(keyring).tokens.create(admin, request);
    const before = await keyring.current();
    expect(await vaults.rotateMasterKey(ada)).toMatchObject({ vault_keys: 0, signing_keys: 1 });
    const later = identityWith({
      ...keyring,
      find: async (id: string) => (id === before.id ? undefined : keyring.find(id)),
    });
    expect(await later.tokens.create(admin, request)).toMatchObject({ token: expect.any(String) });
  });

  test('goes on where it was interrupted', async () => {
    await Promise.all(Array.from({ length: 150 }, newVault));
    let finds = 0;
    const breaking = {
      ...keyring,
      find: async (id: string) => {
        if (++finds > 120) throw new Error('interrupted');
        return keyring.find(id);
      },
    };
    await expect(anotherHub(undefined, breaking).rotateMasterKey(ada)).rejects.toThrow('interrupted');
    const current = await keyring.current();
    const left = () =>
      store.db.selectFrom('vault_keys').select('epoch').where('master_key_id', '!=', current.id).execute();
    expect(await left()).toHaveLength(50);
    expect(await vaults.rotateMasterKey(ada, { resume: true })).toMatchObject({ vault_keys: 50 });
    expect(await left()).toEqual([]);
    expect((await keyring.current()).id).toBe(current.id);
  });
});

test('a key ring is not touched before the first vault', async () => {
  const touched = async () => {
    throw new Error('touched');
  };
  const hub = anotherHub(undefined, { place: 'nowhere', current: touched, find: touched, rotate: touched });
  expect(await hub.listVaults(ada)).toEqual([]);
  expect(await hub.purge(ada)).toBe(0);
  expect(await hub.vaultFacts('vault_none')).toBeUndefined();
  await expect(createVault(hub.deps, ada, { name: 'x', vault_type: 'personal' })).rejects.toThrow('touched');
  expect(await sql`select vault_id from vaults`.execute(store.db)).toMatchObject({ rows: [] });
});
